import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { fileKey } from '../../src/files/receive.ts'
import { inStore, sendStoredFile } from '../../src/files/send.ts'
import { sendZipOf } from '../../src/files/zip.ts'
import { NotFound } from '../../src/http/errors.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { ownerOf, type Whose } from './requests.ts'

/** A file that a person uploaded, or attached to a question. */
export interface SentFile {
  id: string
  name: string
  type: string
  /** In bytes. */
  size: number
  /** In hexadecimal digits. */
  sha256: string
  at: Date
}

/** Files that this person sent for clients to which they belong, the newest first. */
export const filesOf = (database: Knex, { workspace, person, clients }: Whose, id?: string) =>
  readWithin<SentFile>(
    database,
    { workspace },
    {
      name: 'portal.own-files',
      text: `select f.id, f.name, f.type, f.size::float8 as size, encode(f.sha256, 'hex') as sha256, f.at
             from portal.client_files f
             where ${own} and ($5::uuid is null or f.id = $5) order by f.at desc, f.id desc`,
      values: [person, clients, id ?? null],
    },
  )

const own = `f.workspace_id = scope.workspace and f.by_kind = 'client' and f.by_id = $3 and f.client_id = any ($4)
  and f.state = 'ready'`

/** How many there are, and their bytes. */
export async function sumOf(database: Knex, { workspace, person, clients }: Whose) {
  const [sum] = await readWithin<{ count: number; size: number }>(
    database,
    { workspace },
    {
      name: 'portal.own-files-sum',
      text: `select count(*)::int as count, coalesce(sum(f.size), 0)::float8 as size from portal.client_files f where ${own}`,
      values: [person, clients],
    },
  )
  return sum ?? { count: 0, size: 0 }
}

/** Sends one of one's own files. */
export const sendOwnFile =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const owner = ownerOf(req)
    const id = z.uuid().safeParse(req.params.file).data
    const [found] = id ? await filesOf(database, owner, id) : []
    if (!found || !files) throw new NotFound()
    const { name, type, size, sha256 } = found
    const key = fileKey(owner.workspace, found.id)
    await sendStoredFile(req, res, { name, type, size, version: sha256, ...inStore(files, key) })
  }

/** Streams all of them as a zip, however large. */
export const sendOwnFiles =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const owner = ownerOf(req)
    const found = await filesOf(database, owner)
    if (!found.length || !files) throw new NotFound()
    await recordEvent(req, { event: 'account.files-taken', subject: { count: found.length } })
    const zipped = found.map(it => ({ ...it, open: () => files.read(fileKey(owner.workspace, it.id)) }))
    await sendZipOf(res, `${req.portal.workspace.slug}-${req.portal.t('files')}`, zipped)
  }
