import type { MemoryLocker, Server } from '@tus/server'
import type { DataStore, Upload } from '@tus/utils'
import type { Request, Response } from 'express'
import { validate as isUuid, v7 as uuid } from 'uuid'
import { NotFound, ofStore, Problem, StorageFull } from '../http/errors.ts'
import type { FileStore } from '../platform/files.ts'
import type { Log } from '../platform/log.ts'
import { headSize, RefusedFile, typeOf } from './kinds.ts'
import { cleanFileName } from './names.ts'

/** What is done with one upload that may stop and go on: by the tus protocol, 1.0.0 (tus.io/protocols/resumable-upload). */
export interface Resumable {
  /** The id of the upload in the address; undefined where one begins. */
  upload: string | undefined
  store: FileStore
  log: Log
  /** Who uploads. Nobody else can reach the upload, or learn that it exists. */
  owner: string
  /** The address of the uploads, as a path. */
  address: string
  /** The largest file, in bytes. */
  limit: number
  /** Looks at a new upload, and reserves its space. Throws RefusedFile or a Problem. */
  begin(upload: { id: string; name: string; size: number; metadata: Record<string, string> }): Promise<void>
  /** Gives its space back: it was cancelled or refused. */
  cancel(id: string): Promise<void>
  /** The size of a file that has arrived and is kept already; undefined for any other. */
  kept(id: string): Promise<number | undefined>
  /** Keeps a file that has arrived. It may be called again for the same file. Throws RefusedFile or a Problem. */
  finish(upload: { id: string; name: string; metadata: Record<string, string> }): Promise<void>
}

/** How long an upload may stand still before it is removed, in milliseconds. */
const patience = 86_400_000

/** Answers a request of the tus protocol. */
export async function handleResumable(req: Request<any>, res: Response, it: Resumable): Promise<void> {
  const uploads = await it.store.uploads(patience)
  const id = it.upload
  if (id) {
    const upload = isUuid(id) ? await uploads.getUpload(id).catch(ignoreMissing) : undefined
    // Looked for second: what is kept meanwhile by another request is no upload any more.
    const size = await it.kept(id)
    if (size !== undefined) return answerKept(res, size)
    if (upload?.metadata?.owner !== it.owner) throw new NotFound()
    if (req.method === 'DELETE') return answerCancelled(res, uploads, it, id)
    // A process that ended between the last byte and keeping the file has left it for now.
    if (upload.offset === upload.size) {
      await finish(it, upload).catch(async error => {
        // Refused, it is there no more: sent again, it is refused with the reason.
        if (error instanceof RefusedFile) throw new NotFound()
        if ((await it.kept(id)) === undefined) throw error
      })
      return answerKept(res, upload.size)
    }
  }
  const server = await serverOf(uploads, it, { t: req.portal.t, id })
  await server.handle(req, res)
}

/** A store that does not answer is no missing upload: the browser would begin again. */
const ignoreMissing = (error: { status_code?: number }) => {
  if (error.status_code === 404 || error.status_code === 410) return undefined
  throw error
}

const answerKept = (res: Response, size: number) =>
  void res
    .status(200)
    .set({
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': String(size),
      'Upload-Length': String(size),
      'Cache-Control': 'no-store',
    })
    .end()

async function answerCancelled(res: Response, uploads: DataStore, it: Resumable, id: string): Promise<void> {
  await uploads.remove(id)
  await it.cancel(id)
  res.status(204).set('Tus-Resumable', '1.0.0').end()
}

type Translate = Request['portal']['t']

/** Two requests for one upload wait for each other, in this process. */
let locker: MemoryLocker | undefined

async function serverOf(
  uploads: DataStore,
  it: Resumable,
  { t, id }: { t: Translate; id: string | undefined },
): Promise<Server> {
  const { MemoryLocker, Server } = await import('@tus/server')
  locker ??= new MemoryLocker()
  const fail = (error: unknown): never => {
    throw told(error, it, t) ?? error
  }
  return new Server({
    path: '/',
    datastore: uploads,
    locker,
    maxSize: it.limit,
    // Browsers of other origins have no business here.
    allowedOrigins: () => false,
    namingFunction: () => uuid(),
    onResponseError: async (_req, error) => {
      const cause = error instanceof Error ? error : (error as { cause?: unknown }).cause
      const problem = ofStore(cause)
      if (!problem) return undefined
      it.log.error({ err: cause }, 'an upload could not be stored')
      // It would keep others from sending the little that still fits.
      if (problem instanceof StorageFull && id) await discard(uploads, it, id)
      return told(cause, it, t)
    },
    generateUrl: (_req, { id }) => `${it.address}/${id}`,
    onUploadCreate: async (_req, upload) => {
      const metadata = plain(upload)
      if (!upload.size) return fail(new RefusedFile('This file is empty.'))
      const name = cleanFileName(metadata.filename ?? '')
      await it.begin({ id: upload.id, name, size: upload.size, metadata }).catch(fail)
      return { metadata: { ...metadata, filename: name, owner: it.owner } }
    },
    onUploadFinish: async (_req, upload) => {
      await finish(it, upload).catch(fail)
      return {}
    },
  })
}

const plain = ({ metadata }: Upload): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, value ?? '']))

async function finish(it: Resumable, upload: Upload): Promise<void> {
  const metadata = plain(upload)
  const refused = async (error: unknown) => {
    if (error instanceof RefusedFile) await discard(await it.store.uploads(patience), it, upload.id)
    throw error
  }
  await it.finish({ id: upload.id, name: metadata.filename ?? 'file', metadata }).catch(refused)
}

async function discard(uploads: DataStore, it: Resumable, id: string): Promise<void> {
  await uploads.remove(id).catch(() => undefined)
  await it.cancel(id)
}

/**
 * An error as the tus server sends it: a status, and a sentence for the person who uploads. Undefined for what nobody
 * expected.
 */
function told(cause: unknown, { limit }: Resumable, t: Translate) {
  if (cause instanceof RefusedFile)
    return { status_code: 422, body: t(cause.message, { size: `${limit / 1e6} MB` }), cause }
  const problem = cause instanceof Problem ? cause : ofStore(cause)
  return problem && { status_code: problem.status, body: t(problem.message), cause }
}

/** Tells the media type of an upload that has arrived, by its first bytes. Throws RefusedFile. */
export const typeOfUpload = async (store: FileStore, id: string, name: string): Promise<string> =>
  typeOf(await store.head(id, headSize), name)
