import type { Response } from 'express'
import type { Knex } from 'knex'
import { NotFound } from '../http/errors.ts'
import { query } from '../platform/database.ts'
import type { Photo } from '../platform/photo.ts'

interface Whose {
  workspace: string
  person: string
}

/** Stores a person's photo in place of the one before, within a transaction that has entered the workspace. */
export async function savePhoto(tx: Knex, { workspace, person }: Whose, { type, bytes, version }: Photo) {
  await query(tx, {
    text: `insert into portal.client_photos (workspace_id, person_id, type, bytes) values ($1, $2, $3, $4)
           on conflict (workspace_id, person_id) do update
             set type = excluded.type, bytes = excluded.bytes, changed_at = portal.now()`,
    values: [workspace, person, type, bytes],
  })
  await nameVersion(tx, { workspace, person }, version)
}

/** Returns whether there was a photo. */
export async function removePhoto(tx: Knex, { workspace, person }: Whose): Promise<boolean> {
  const removed = await query(tx, {
    text: 'delete from portal.client_photos where workspace_id = $1 and person_id = $2 returning person_id',
    values: [workspace, person],
  })
  await nameVersion(tx, { workspace, person }, null)
  return removed.length > 0
}

const nameVersion = (tx: Knex, { workspace, person }: Whose, version: string | null) =>
  query(tx, {
    text: 'update portal.client_users set photo_version = $3 where workspace_id = $1 and id = $2',
    values: [workspace, person, version],
  })

export interface StoredPhoto extends Photo {
  name: string
}

/** Finds a photo in the workspace. With `colleagueOf`, only people of that client have one. */
export async function photoOf(
  tx: Knex,
  { workspace, colleagueOf }: { workspace: string; colleagueOf?: string },
  person: string,
): Promise<StoredPhoto | undefined> {
  const [row] = await query<StoredPhoto>(tx, {
    text: `select p.type, p.bytes, u.photo_version as version, u.name
           from portal.client_photos p join portal.client_users u
             on u.workspace_id = p.workspace_id and u.id = p.person_id
           where p.workspace_id = $1 and p.person_id::text = $2 and ($3::text is null or exists (
             select from portal.client_memberships m
             where m.workspace_id = p.workspace_id and m.person_id = p.person_id and m.client_id = $3))`,
    values: [workspace, person, colleagueOf ?? null],
  })
  return row
}

/** Sends a photo as an image that can neither load nor run anything. Throws NotFound without one. */
export function sendPhoto(res: Response, photo: StoredPhoto | undefined, version: string) {
  if (!photo) throw new NotFound()
  res
    .set({
      'Cache-Control': version === photo.version ? 'private, max-age=86400' : 'private, no-cache',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Content-Disposition': 'inline; filename="photo"',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    .type(photo.type)
    .send(photo.bytes)
}
