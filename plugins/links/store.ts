import { createHash, randomBytes } from 'node:crypto'
import type { Request } from 'express'
import type { Knex } from 'knex'
import type { PublicLink } from '../../src/auth/guest.ts'
import { NotFound } from '../../src/http/errors.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import type { SettingRow } from '../../src/plugin/toggles.ts'

const columns = `l.id, l.client_id as client, l.section, l.document_id as document, l.number, l.requires_code as coded,
  l.contact_id as recipient,
  l.created_by as "madeBy", l.created_at as "madeAt", l.expires_at as until`

const switched = (client: string) => `(
  select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
  from portal.client_portal_settings t
  where t.workspace_id = scope.workspace and t.person_id = '' and t.client_id in ('', ${client}))`

/** Undefined for one that never was, is over, or was taken back. */
export async function openLink(
  database: Knex,
  workspace: string,
  by: { token: string } | { id: string },
): Promise<PublicLink | undefined> {
  const [key, value] = 'token' in by ? (['token_hash', hashed(by.token)] as const) : (['id', by.id] as const)
  const [row] = await readWithin<PublicLink>(
    database,
    { workspace },
    {
      name: `portal.link.${key}`,
      text: `select ${columns}, ${switched('l.client_id')} as settings from portal.client_links l
             where l.workspace_id = scope.workspace and l.${key} = $3 and l.revoked_at is null and l.expires_at > portal.now()`,
      values: [value],
    },
  )
  return row
}

/** Settings that apply to all people of a client. */
export async function switchesOf(database: Knex, workspace: string, client: string): Promise<SettingRow[]> {
  const [row] = await readWithin<{ settings: SettingRow[] }>(
    database,
    { workspace },
    { name: 'portal.switches', text: `select ${switched('$3')} as settings`, values: [client] },
  )
  return row?.settings ?? []
}

/** With the time of the last visit. Active links first, the newest of them on top. */
export const linksOf = (
  database: Knex,
  workspace: string,
): Promise<(Omit<PublicLink, 'settings'> & { clientName: string; over: boolean; opened: Date | null })[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.links',
      text: `select ${columns}, l.client_name as "clientName", l.revoked_at is not null or l.expires_at <= portal.now() as over,
               (select max(a.at) from portal.client_activity_logs a
                where a.workspace_id = scope.workspace and a.client_id = l.client_id and a.subject_id = l.document_id
                  and a.event = 'links.opened' and a.actor_id = l.id::text) as opened
             from portal.client_links l where l.workspace_id = scope.workspace order by over, l.id desc limit 500`,
    },
  )

interface Wanted {
  /** One that was used before makes no second link. */
  id: string
  client: { id: string; name: string }
  section: string
  document: { id: string; number: string }
  coded: boolean
  days: number
  /** To whom it is mailed. */
  to: { id: string; email: string } | undefined
}

/**
 * The token of a new link: 256 random bits, of which only a hash is kept. Undefined where there is one of this id. In a
 * transaction that has entered the workspace.
 */
export async function makeLink(tx: Knex, req: Request<any>, it: Wanted): Promise<string | undefined> {
  const { workspace, staff } = req.portal
  const token = randomBytes(32).toString('base64url')
  const [made] = await query(tx, {
    text: `insert into portal.client_links (workspace_id, id, client_id, client_name, section, document_id, number, token_hash,
             requires_code, created_by, expires_at, contact_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, portal.now() + $11 * interval '1 day', $12)
           on conflict (workspace_id, id) do nothing returning id`,
    values: [
      ...[workspace.id, it.id, it.client.id, it.client.name, it.section, it.document.id, it.document.number],
      ...[hashed(token), it.coded, staff?.name ?? '', it.days, it.to?.id ?? null],
    ],
  })
  if (!made) return undefined
  await recordEventIn(tx, req, {
    event: 'links.made',
    subject: { ...it.document, days: it.days, email: it.to?.email ?? 'nobody' },
    actor: { kind: 'staff', id: staff?.id, name: staff?.name, client: it.client.id },
  })
  return token
}

/** Throws NotFound for one that is over already. */
export async function revokeLink(tx: Knex, req: Request<any>, id: string) {
  const { workspace, staff } = req.portal
  const [row] = await query(tx, {
    text: `update portal.client_links set revoked_at = portal.now()
           where workspace_id = $1 and id = $2 and revoked_at is null and expires_at > portal.now()
           returning client_id as client, document_id as document, number`,
    values: [workspace.id, id],
  })
  if (!row) throw new NotFound()
  await recordEventIn(tx, req, {
    event: 'links.revoked',
    subject: { id: row.document, number: row.number },
    actor: { kind: 'staff', id: staff?.id, name: staff?.name, client: row.client },
  })
}

const hashed = (token: string) => createHash('sha256').update(token).digest('base64url')
