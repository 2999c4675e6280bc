import type { Request, RequestHandler, Response } from 'express'
import type { Knex } from 'knex'
import {
  AlreadyKept,
  forgetFiles,
  keepNewFiles,
  lockUsage,
  NoSpaceLeft,
  releaseFile,
  reserveFile,
  sizeOfKept,
} from '../../src/files/kept.ts'
import { RefusedFile, refuseByName, refuseKind } from '../../src/files/kinds.ts'
import { previewKeys } from '../../src/files/previews.ts'
import { discardRefused, fileKey, type Received, type ReceivedFile, receiveFiles } from '../../src/files/receive.ts'
import { handleResumable, typeOfUpload } from '../../src/files/resumable.ts'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { within } from '../../src/platform/database.ts'
import { tellChange } from '../../src/platform/events.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { loggedAs } from './events.ts'
import { expectFile } from './items.ts'
import { clientLimits, takesFiles, type Uploading } from './limits.ts'
import { showRequest } from './pages.ts'

/** Takes files for one item. Those that are accepted are kept, whatever becomes of the others. */
export const saveFiles =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    const { id, item } = req.params
    await requireItem(req, host)
    const { workspace } = req.portal.customer
    const { size, space, kinds } = await clientLimits(host, workspace.id)
    const store = host.files as FileStore
    const received = await receiveFiles(req, { store, workspace: workspace.id, limits: { size, total: space, kinds } })
    const { files, refused } = received
    req.portal.body = received.fields
    Object.assign(req, { at: item } satisfies Uploading)
    if (!files.length && !refused.length) throw new Invalid({ files: ['Choose at least one file.'] }, received.fields)
    if (files.length)
      await keep(req, host, { files, space }).catch(error =>
        discardRefused(error, { store, workspace: workspace.id, files }),
      )
    if (req.portal.wants === 'json') return answer(req, res, received)
    if (!refused.length)
      return res.redirect(303, req.portal.url(`/requests/${encodeURIComponent(id)}?sent=${files.length}#item-${item}`))
    Object.assign(req, { result: { files, refused } } satisfies Uploading)
    res.status(422)
    return showRequest(host)(req, res, next)
  }

/** Tells a program what was kept, and what was not. */
async function answer(req: Request<any>, res: Response, { refused }: Received) {
  const { size, t, crm } = req.portal
  const said = refused.map(it => `${it.name}: ${t(it.why, { size: size(it.limit) })}`)
  if (said.length) req.portal.problem = new RefusedUploads({ files: said }, {})
  else res.status(201)
  res.respond('requests/show', { request: await crm.requests.find(req.params.id) })
}

/** 422: some files were refused; the others are kept. */
class RefusedUploads extends Invalid {
  code = 'refused-files'
  message = 'Some files were not accepted.'
  advice = 'The others are kept.'
}

/** Throws NotFound where there is no such item for this person, or nothing can be sent here. */
async function requireItem(req: Request<any>, host: Host): Promise<void> {
  if (!takesFiles(req, host)) throw new NotFound()
  const { id, item } = req.params
  const { list } = await req.portal.crm.requests.find(id)
  if (!list.some(it => it.id === item)) throw new NotFound()
}

/** Keeps files and adds them to the item of the request, in one transaction. */
async function keep(req: Request<any>, host: Host, { files, space }: { files: ReceivedFile[]; space: number }) {
  const { id, item } = req.params
  const { workspace, client } = req.portal.customer
  const keeping = { workspace, client: client.id, by: clientOf(req) }
  await runAction(
    req,
    async ({ tx, crm }) => {
      const changed = await crm.requests!.addFiles(id, item, await kept(tx, host, keeping, files, space))
      return changed
    },
    done => ({
      event: 'requests.uploaded',
      subject: loggedAs(id, done, { count: files.length, names: namesOf(files) }),
    }),
  )
  host.jobs.wake()
}

async function kept(
  tx: Knex,
  host: Host,
  keeping: Parameters<typeof keepNewFiles>[2],
  files: ReceivedFile[],
  space: number,
): Promise<ReceivedFile[]> {
  await keepNewFiles(tx, host, keeping, files, space)
  return files
}

/** The first of them, one in a line, for who tells staff. */
const namesOf = (files: { name: string }[]) =>
  files
    .slice(0, 20)
    .map(it => it.name)
    .join('\n')

const clientOf = ({ portal }: Request<any>) => {
  const { id, name } = portal.customer.person
  return { kind: 'client', id, name } as const
}

/** Uploads for one item that may stop and go on, one file each. */
export const uploadResumably =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id, item, upload } = req.params
    if (!takesFiles(req, host)) throw new NotFound()
    if (!upload) await requireItem(req, host)
    const { workspace, client, person } = req.portal.customer
    const { size, space, kinds } = await clientLimits(host, workspace.id)
    const scope = { workspace: workspace.id, client: client.id }
    const by = clientOf(req)
    await handleResumable(req, res, {
      upload,
      store: host.files as FileStore,
      log: host.log,
      owner: JSON.stringify([workspace.id, client.id, person.id, id, item]),
      address: req.portal.url(`/requests/${encodeURIComponent(id)}/items/${encodeURIComponent(item)}/uploads`),
      limit: size,
      begin: async ({ id: file, name, size }) => {
        refuseByName(name)
        await within(host.database, scope, async tx => {
          const used = await lockUsage(tx, scope.workspace, scope.client)
          if (used + size > space) throw new NoSpaceLeft()
          await reserveFile(tx, { ...scope, by }, { id: file, name, size })
          await expectFile(tx, { database: tx, ...scope, by }, { request: id, item }, file)
          await tellChange(tx, { ...scope, section: 'requests', id })
        })
      },
      cancel: file => within(host.database, scope, tx => releaseFile(tx, scope.workspace, file)).then(() => undefined),
      kept: file => within(host.database, scope, tx => sizeOfKept(tx, { ...scope, by: person.id, id: file })),
      finish: async ({ id: file, name }) => {
        const files = host.files as FileStore
        const uploads = await files.uploads(0)
        const type = await typeOfUpload(files, file, name)
        if (kinds) refuseKind(type, kinds)
        const arrived = { id: file, name, type, ...(await files.adopt(file, fileKey(workspace.id, file))) }
        await keep(req, host, { files: [arrived], space }).catch(async error => {
          if (error instanceof AlreadyKept) return
          if (!(error instanceof Conflict)) throw error
          // It will never be taken: neither its bytes nor its place are kept.
          await files.remove(fileKey(workspace.id, file)).catch(() => undefined)
          throw new RefusedFile(error.message)
        })
        await uploads.remove(file).catch(() => undefined)
      },
    })
  }

/** Removes a file that this person has sent within a day. */
export const saveFileRemoval =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id, item, file } = req.params
    const { workspace } = req.portal.customer
    await runAction(
      req,
      async ({ tx, crm }) => {
        const changed = await crm.requests!.removeFile(id, item, file)
        await forgetFiles(tx, workspace.id, [file])
        return changed
      },
      done => ({
        event: 'requests.file_removed',
        subject: loggedAs(id, done),
      }),
    )
    const key = fileKey(workspace.id, file)
    for (const it of [key, ...previewKeys(key)]) await host.files?.remove(it).catch(() => undefined)
    res.redirect(303, req.portal.url(`/requests/${encodeURIComponent(id)}?removed#item-${item}`))
  }
