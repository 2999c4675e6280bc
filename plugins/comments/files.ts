import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { previewOf, sendPreview as send } from '../../src/files/previews.ts'
import { fileKey } from '../../src/files/receive.ts'
import { BeingChecked, inStore, type SentFile, sendStoredFile } from '../../src/files/send.ts'
import { NotFound } from '../../src/http/errors.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { readWithin, type Scope } from '../../src/platform/database.ts'
import type { Thread } from '../../src/plugin/capabilities.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** Sends a file of a thread to a client. */
export const sendFile =
  (host: Host, thread: Thread): RequestHandler<any> =>
  async (req, res) => {
    const found = await inThread(host, thread)(req)
    // A download that goes on is one download.
    if (req.method === 'GET' && !/^bytes=[1-9]/.test(req.get('Range') ?? ''))
      await recordEvent(req, { event: 'comments.downloaded', subject: { id: found.id, number: found.name } })
    await sendStoredFile(req, res, found)
  }

export const sendPreview =
  (host: Host, thread: Thread): RequestHandler<any> =>
  async (req, res) =>
    send(res, await previewOf(await inThread(host, thread)(req), 'small'))

const inThread =
  (host: Host, { kind, subject }: Thread): ((req: Parameters<RequestHandler<any>>[0]) => Promise<Found>) =>
  async req => {
    const { id } = await subject(req)
    const { customer, workspace, on } = req.portal
    if (!on(`${kind}.questions`)) throw new NotFound()
    const scope = { workspace: workspace.id, client: customer.client.id }
    return findFile(host, scope, { file: req.params.file, kind, id })
  }

export const sendFileToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) =>
    sendStoredFile(req, res, await findFile(host, { workspace: req.portal.workspace.id }, req.params))

export const sendPreviewToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) =>
    send(res, await previewOf(await findFile(host, { workspace: req.portal.workspace.id }, req.params), 'small'))

type Found = SentFile & Parameters<typeof previewOf>[0] & { id: string }

/** A file, and the thread in which it must be, if not any. */
interface Wanted {
  file: string
  kind?: string
  id?: string
}

/** Throws NotFound, also for a file of another thread, and BeingChecked until it is ready. */
async function findFile({ database, files: store }: Host, scope: Scope, wanted: Wanted): Promise<Found> {
  const row = await rowOf(database, scope, wanted)
  if (!store || !row || row.state === 'infected') throw new NotFound()
  if (row.state === 'checking') throw new BeingChecked()
  const { id, name, type, size, version } = row
  const key = fileKey(scope.workspace, id)
  return { id, name, type, size, version, store, key, ...inStore(store, key) }
}

interface Row extends Pick<SentFile, 'name' | 'type' | 'size' | 'version'> {
  id: string
  state: 'checking' | 'ready' | 'infected'
}

async function rowOf(database: Knex, scope: Scope, { file, kind, id }: Wanted): Promise<Row | undefined> {
  const [row] = await readWithin<Row>(database, scope, {
    name: 'portal.comment-file',
    text: `select f.id, f.name, f.type, f.size::float8 as size, f.state, encode(f.sha256, 'hex') as version
           from portal.client_comment_files a
             join portal.client_comments c on c.workspace_id = a.workspace_id and c.id = a.comment_id
             join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
           where a.workspace_id = scope.workspace and (scope.client = '' or a.client_id = scope.client) and a.file_id = $3
             and ($4::text is null or c.section = $4 and c.document_id = $5)`,
    values: [z.uuid().safeParse(file).data ?? null, kind ?? null, id ?? null],
  })
  return row
}
