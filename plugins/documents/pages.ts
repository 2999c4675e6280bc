import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import {
  AlreadyKept,
  lockUsage,
  NoSpaceLeft,
  releaseFile,
  reserveFile,
  sizeOfKept,
  usageOf,
} from '../../src/files/kept.ts'
import { acceptOf, type FileKind, iconOf, refuseByName, refuseKind } from '../../src/files/kinds.ts'
import { isPreviewable, knownPages, pageOf, pagesOf, previewOf, sendPreview } from '../../src/files/previews.ts'
import { discardRefused, fileKey, type Received, receiveFiles } from '../../src/files/receive.ts'
import { handleResumable, typeOfUpload } from '../../src/files/resumable.ts'
import { sendStoredFile } from '../../src/files/send.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { filterOf } from '../../src/http/filter.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { within } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { attachedTo } from '../../src/settings/plugin-actions.ts'
import { crmIdOf, markCrmRead } from './beside.ts'
import { addDocuments, markRead, removeBytes, removeDocument } from './keep.ts'
import { bytesOf, kindNames, kinds, limitsOf } from './limits.ts'
import { type Document, sorts, statuses } from './port.ts'

export const Filter = filterOf({ statuses, sorts }).extend({
  folder: z
    .string()
    .max(300)
    .regex(/^[^\0]+$/)
    .optional()
    .catch(undefined),
})

export const showList =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const filter = Filter.parse(req.query)
    const { documents } = req.portal.crm
    const [page, overview, found] = await Promise.all([
      documents.list(filter),
      documents.overview(),
      filter.search ? documents.counts?.(filter.search) : undefined,
    ])
    const folder = overview.folders.find(it => it.id === filter.folder)
    if (filter.folder && !folder) throw new NotFound()
    res.respond('documents/list', {
      ...{ filter, overview, found, folder, iconOf, isPreviewable, uploads: mayUpload(req, host) },
      sent: z.coerce.number().int().min(1).max(100).optional().catch(undefined).parse(req.query.sent),
      removed: req.query.removed === '',
      ...page,
    })
  }

/** Clients upload to Portico's own store; a CRM's documents are only read. */
const mayUpload = ({ portal }: Request<any>, { files }: Host) =>
  portal.may('documents.upload') && portal.on('documents.uploads') && files !== undefined

export const showDocument =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const document = await req.portal.crm.documents.find(req.params.id)
    await opened(req, database, document)
    await recordEvent(req, { event: 'documents.viewed', subject: subjectOf(document) })
    res.respond('documents/show', {
      document,
      iconOf,
      isPreviewable,
      severalPages: await mayHavePages(req, files, document),
      ...(await attachedTo(req, 'documents', document.id)),
    })
  }

const subjectOf = ({ id, name }: { id: string; name: string }) => ({ id, number: name })

/** Counts as new no more. Staff who view the portal as a client leave no mark. */
async function opened(req: Request<any>, database: Host['database'], { id, version }: { id: string; version: number }) {
  const { customer, viewing } = req.portal
  if (viewing) return
  const { workspace, client, person } = customer as Customer
  const its = crmIdOf(id)
  await within(database, { workspace: workspace.id, client: client.id }, tx =>
    its === undefined
      ? markRead(tx, workspace.id, client.id, person.id, id, version)
      : markCrmRead(tx, workspace.id, client.id, person.id, its),
  )
}

export const sendContent =
  ({ database }: Host): RequestHandler<any> =>
  async (req, res) => {
    const version = z.coerce.number().int().min(1).max(1e6).optional().catch(undefined).parse(req.query.version)
    const { id } = req.params
    const { name, tag, ...content } = await req.portal.crm.documents.content(id, version)
    // A download that goes on is one download.
    if (req.method === 'GET' && !/^bytes=[1-9]/.test(req.get('Range') ?? '')) {
      if (!version) await opened(req, database, await req.portal.crm.documents.find(id))
      await recordEvent(req, { event: 'documents.downloaded', subject: subjectOf({ id, name }) })
    }
    await sendStoredFile(req, res, { ...content, name, version: tag })
  }

/** A picture of the document, for lists and its own page, or of one of its pages. */
export const sendDocumentPreview =
  ({ files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const previewed = await previewedAt(req, files)
    const page = z.coerce.number().int().min(1).max(1e3).optional().catch(undefined).parse(req.query.page)
    const wanted = req.query.size === 'large' ? 'large' : 'small'
    sendPreview(res, previewed && (await (page ? pageOf(previewed, page) : previewOf(previewed, wanted))))
  }

/** Whether a PDF has pages to look at besides the first, as far as is known. */
async function mayHavePages(req: Request<any>, files: FileStore | undefined, { type, state, size }: Document) {
  if (type !== 'application/pdf' || state !== 'ready' || !isPreviewable({ type, size })) return false
  const previewed = await previewedAt(req, files).catch(() => undefined)
  return previewed !== undefined && (await knownPages(previewed)) !== 1
}

async function previewedAt({ portal, params }: Request<any>, store: FileStore | undefined) {
  const { key, type, size, open } = await portal.crm.documents.content(params.id)
  return store && key ? { store, key, type, size, open: () => open() } : undefined
}

/** All pages of a PDF as pictures: many phones cannot show one within a page. */
export const showPages =
  ({ database, files }: Host): RequestHandler<any> =>
  async (req, res) => {
    const document = await req.portal.crm.documents.find(req.params.id)
    const previewed = await previewedAt(req, files)
    const pages = previewed ? await pagesOf(previewed) : 0
    if (!pages) throw new NotFound()
    await opened(req, database, document)
    await recordEvent(req, { event: 'documents.viewed', subject: subjectOf(document) })
    res.respond('documents/pages', { document, pages })
  }

export const showUpload =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    requireUploads(req, host)
    const { customer, problem, body } = req.portal
    const scope = { workspace: customer.workspace.id, client: customer.client.id }
    const [limits, overview, used] = await Promise.all([
      limitsOf(host, scope.workspace),
      req.portal.crm.documents.overview(),
      within(host.database, scope, tx => usageOf(tx, scope.workspace, scope.client)),
    ])
    const { size, total } = bytesOf(limits)
    res.respond('documents/upload', {
      accept: acceptOf(limits.kinds),
      accepted: limits.kinds.map(it => ({ name: it, ...kinds[it] })),
      all: limits.kinds.length === kindNames.length,
      ...{ limit: size, total, left: Math.max(0, total - used), folders: overview.folders.filter(isOwn) },
      folder: problem ? (body as { folder?: string })?.folder : Filter.parse(req.query).folder,
      result: (req as Uploading).result,
    })
  }

const requireUploads = (req: Request<any>, host: Host) => {
  if (!mayUpload(req, host)) throw new NotFound()
}

interface Uploading {
  /** What arrived and what was refused, where not everything was accepted. */
  result?: Pick<Received, 'refused'> & { files: { name: string; size: number }[] }
}

/** Stores files while they arrive. Those that are accepted are kept, whatever becomes of the others. */
export const saveUpload =
  (host: Host): RequestHandler<any> =>
  async (req, res, next) => {
    requireUploads(req, host)
    const store = host.files as FileStore
    const { workspace } = req.portal.customer
    const { kinds, ...set } = await limitsOf(host, workspace.id)
    const limits = { ...bytesOf(set), kinds }
    const received = await receiveFiles(req, { store, workspace: workspace.id, limits })
    req.portal.body = received.fields
    const { files } = received
    const saved = files.length ? saveReceived(req, host, received, limits.total) : Promise.resolve([])
    const ids = await saved.catch(error => discardRefused(error, { store, workspace: workspace.id, files }))
    const none = !files.length && !received.refused.length
    if (none) throw new Invalid({ files: ['Choose at least one file.'] }, received.fields)
    if (req.portal.wants === 'json') return answerUpload(req, res, ids, received)
    if (!received.refused.length) return res.redirect(303, req.portal.url(`/documents?sent=${files.length}`))
    Object.assign(req, { result: { files, refused: received.refused } } satisfies Uploading)
    res.status(422)
    return showUpload(host)(req, res, next)
  }

/** Tells a program what was kept, and what was not. */
async function answerUpload(req: Request<any>, res: Response, ids: string[], { refused }: Received) {
  const { crm, size, t } = req.portal
  const documents = await Promise.all(ids.map(id => crm.documents.find(id)))
  const said = refused.map(it => `${it.name}: ${t(it.why, { size: size(it.limit) })}`)
  if (said.length) req.portal.problem = new RefusedUploads({ files: said }, {})
  else res.status(201)
  res.respond('documents/uploaded', { documents })
}

/** 422: some files were refused; the others are kept. */
class RefusedUploads extends Invalid {
  code = 'refused-files'
  message = 'Some files were not accepted.'
  advice = 'The others are kept.'
}

async function saveReceived(req: Request<any>, host: Host, received: Received, most: number): Promise<string[]> {
  const { workspace, client } = req.portal.customer
  const folder = await folderOf(req, received.fields.folder)
  const by = clientOf(req)
  const saved = await runAction(
    req,
    ({ tx }) => addDocuments(tx, host, { workspace, client: client.id, folder, by }, received.files, most),
    ids => ({
      event: 'documents.uploaded',
      subject: { id: ids[0], number: received.files[0]?.name, count: ids.length, names: namesOf(received.files) },
    }),
  )
  host.jobs.wake()
  return saved
}

/** Whether it is Portico's, and not the CRM's. */
const isOwn = ({ id }: { id: string }) => crmIdOf(id) === undefined

/** The first of them, one in a line, for who tells staff. */
const namesOf = (files: { name: string }[]) =>
  files
    .slice(0, 20)
    .map(it => it.name)
    .join('\n')

/** The id of a folder that the reader can see, and that files can be put into; null for none. Throws Invalid. */
async function folderOf(req: Request<any>, id: string | undefined): Promise<string | null> {
  if (!id) return null
  const { folders } = await req.portal.crm.documents.overview()
  if (folders.some(it => it.id === id && isOwn(it))) return id
  throw new Invalid({ folder: ['This folder is no longer there. Choose another one.'] }, req.portal.body)
}

/** Uploads that may stop and go on, one file each. */
export const uploadResumably =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    requireUploads(req, host)
    const { workspace, client, person } = req.portal.customer
    const store = host.files as FileStore
    const { kinds, ...set } = await limitsOf(host, workspace.id)
    const limits = bytesOf(set)
    const scope = { workspace: workspace.id, client: client.id }
    await handleResumable(req, res, {
      upload: req.params.id,
      store,
      log: host.log,
      owner: JSON.stringify([workspace.id, client.id, person.id]),
      address: req.portal.url('/documents/uploads'),
      limit: limits.size,
      begin: async ({ id, name, size, metadata }) => {
        refuseByName(name)
        await folderOf(req, metadata.folder)
        await within(host.database, scope, async tx => {
          const used = await lockUsage(tx, scope.workspace, scope.client)
          if (used + size > limits.total) throw new NoSpaceLeft()
          await reserveFile(tx, { ...scope, by: clientOf(req) }, { id, name, size })
        })
      },
      cancel: id => within(host.database, scope, tx => releaseFile(tx, scope.workspace, id)).then(() => undefined),
      kept: id => within(host.database, scope, tx => sizeOfKept(tx, { ...scope, by: person.id, id })),
      finish: upload => keepUpload(req, host, { ...upload, kinds, most: limits.total }),
    })
  }

const clientOf = ({ portal }: Request<any>) => {
  const { id, name } = portal.customer.person
  return { kind: 'client', id, name } as const
}

interface Arrived {
  id: string
  name: string
  metadata: Record<string, string>
  kinds: readonly FileKind[]
  most: number
}

/** Makes a document of an upload that has arrived, once, however often this is called. */
async function keepUpload(req: Request<any>, host: Host, { id, name, metadata, kinds, most }: Arrived) {
  const files = host.files as FileStore
  const { workspace, client } = req.portal.customer
  const uploads = await files.uploads(0)
  const type = await typeOfUpload(files, id, name)
  refuseKind(type, kinds)
  const folder = await folderOf(req, metadata.folder).catch(() => null)
  const file = { id, name, type, ...(await files.adopt(id, fileKey(workspace.id, id))) }
  const adding = { workspace, client: client.id, folder, by: clientOf(req) }
  await runAction(
    req,
    ({ tx }) => addDocuments(tx, host, adding, [file], most),
    ids => ({ event: 'documents.uploaded', subject: { id: ids[0], number: name, count: 1 } }),
  ).catch(error => {
    // Otherwise the file stays, for another try, until it is swept up.
    if (!(error instanceof AlreadyKept)) throw error
  })
  host.jobs.wake()
  await uploads.remove(id).catch(() => undefined)
}

export const saveRemoval =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    requireUploads(req, host)
    const { workspace, client, person } = req.portal.customer
    const document = await req.portal.crm.documents.find(req.params.id)
    if (!document.removable) throw new NotFound()
    const removed = await runAction(
      req,
      async ({ tx }) => {
        const it = await removeDocument(tx, workspace.id, document.id, person.id)
        if (it?.client !== client.id) throw new NotFound()
        return it
      },
      ({ name }) => ({ event: 'documents.withdrawn', subject: subjectOf({ id: document.id, name }) }),
    )
    await removeBytes(host.files as FileStore, workspace.id, removed)
    res.redirect(303, req.portal.url('/documents?removed'))
  }
