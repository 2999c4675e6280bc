import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { previewOf, sendPreview as send } from '../../src/files/previews.ts'
import { fileKey } from '../../src/files/receive.ts'
import { BeingChecked, inStore, type SentFile, sendStoredFile } from '../../src/files/send.ts'
import { NotFound } from '../../src/http/errors.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { readWithin, type Scope } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'

type Found = SentFile & Parameters<typeof previewOf>[0] & { id: string }

/** Throws NotFound, also for a file of another conversation, and BeingChecked until it is ready. */
async function findFile({ database, files: store }: Host, scope: Scope, { params }: Request<any>): Promise<Found> {
  const uuid = (it: unknown) => z.uuid().safeParse(it).data ?? null
  const [row] = await readWithin<Omit<SentFile, 'open'> & { id: string; state: string }>(database, scope, {
    name: 'portal.message-file',
    text: `select f.id, f.name, f.type, f.size::float8 as size, f.state, encode(f.sha256, 'hex') as version
           from portal.client_message_files a
             join portal.client_messages m on m.workspace_id = a.workspace_id and m.id = a.message_id
             join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
           where a.workspace_id = scope.workspace and (scope.client = '' or a.client_id = scope.client)
             and a.file_id = $3 and m.thread_id = $4`,
    values: [uuid(params.file), uuid(params.id)],
  })
  if (!store || !row || row.state === 'infected') throw new NotFound()
  if (row.state === 'checking') throw new BeingChecked()
  const key = fileKey(scope.workspace, row.id)
  return { ...row, store, key, ...inStore(store, key) }
}

const ofClient = ({ portal: { customer } }: Request<any>) => ({
  workspace: customer.workspace.id,
  client: customer.client.id,
})

const ofStaff = ({ portal: { workspace } }: Request<any>) => ({ workspace: workspace.id })

export const sendFile =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const found = await findFile(host, ofClient(req), req)
    // A download that goes on is one download.
    if (req.method === 'GET' && !/^bytes=[1-9]/.test(req.get('Range') ?? ''))
      await recordEvent(req, { event: 'messages.downloaded', subject: { id: found.id, number: found.name } })
    await sendStoredFile(req, res, found)
  }

export const sendPreview =
  (host: Host): RequestHandler<any> =>
  async (req, res) =>
    send(res, await previewOf(await findFile(host, ofClient(req), req), 'small'))

export const sendFileToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) =>
    sendStoredFile(req, res, await findFile(host, ofStaff(req), req))

export const sendPreviewToStaff =
  (host: Host): RequestHandler<any> =>
  async (req, res) =>
    send(res, await previewOf(await findFile(host, ofStaff(req), req), 'small'))
