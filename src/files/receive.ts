import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import type { Request } from 'express'
import { v7 as uuid } from 'uuid'
import { Problem, Unreadable } from '../http/errors.ts'
import type { FileStore } from '../platform/files.ts'
import { type FileKind, headSize, RefusedFile, refuseKind, typeOf } from './kinds.ts'
import { cleanFileName } from './names.ts'

/** A file that is in the store, and not yet in any table. */
export interface ReceivedFile {
  id: string
  name: string
  /** By its content. */
  type: string
  /** In bytes. */
  size: number
  sha256: Buffer
}

/** What else a form has: a list where a name comes more than once, as in any other form. */
type Form = Record<string, string | string[]>

export interface Received {
  /** The last value of each name. */
  fields: Record<string, string>
  form: Form
  files: ReceivedFile[]
  /** Those that were not accepted, each with a sentence, which may name the limit of one file in bytes as `{size}`. */
  refused: { name: string; why: string; limit: number }[]
}

interface Limits {
  /** Of one file, in bytes. */
  size: number
  /** Of all files of the form together, in bytes. */
  total: number
  /** Which are accepted; all if omitted. */
  kinds?: readonly FileKind[]
  /** How many there may be; a hundred if not given. */
  files?: number
}

/** Files in one form. */
const mostFiles = 100

/** Where a file of a workspace is stored: nothing in the key comes from a user. */
export const fileKey = (workspace: string, id: string): string => `${Buffer.from(workspace).toString('hex')}/${id}`

/**
 * Reads a form with files (multipart/form-data, RFC 7578) and stores the files while they arrive, in constant memory. A
 * file that is not accepted does not stop the others. If the form breaks off, nothing of it is kept; throws Unreadable.
 */
export async function receiveFiles(
  req: Request<any>,
  { store, workspace, limits }: { store: FileStore; workspace: string; limits: Limits },
): Promise<Received> {
  const received: Received = { fields: {}, form: {}, files: [], refused: [] }
  const isEmpty = !req.is('multipart/form-data') && Number(req.get('Content-Length') ?? 0) === 0
  if (isEmpty) return received
  const storing: Promise<void>[] = []
  let left = limits.total
  let taken = 0
  const most = limits.files ?? mostFiles
  const take = async (given: string, stream: BusboyFileStream) => {
    const name = cleanFileName(given)
    const id = uuid()
    try {
      if (++taken > most) throw new RefusedFile(tooMany)
      const room = Math.min(limits.size, left)
      const { type, source } = await opened(stream, name, room < limits.size ? tooFull : tooLarge)
      if (limits.kinds) refuseKind(type, limits.kinds)
      const written = await store.write(fileKey(workspace, id), source)
      left -= written.size
      received.files.push({ id, name, type, ...written })
    } catch (error) {
      if (!(error instanceof RefusedFile)) throw error
      received.refused.push({ name, why: error.message, limit: limits.size })
    } finally {
      stream.resume()
    }
  }
  try {
    const parser = parserOf(req, limits)
    parser.on('field', (name, value) => addField(received, name, value))
    parser.on('file', (_field, stream, name) => {
      // A browser sends a nameless, empty part for an input without a file.
      if (!name) return void stream.resume()
      const stored = take(name, stream)
      // A failure ends the request; without this it would be reported as unhandled first.
      stored.catch(error => parser.destroy(error))
      storing.push(stored)
    })
    await pipeline(req, parser)
    await Promise.all(storing)
    return received
  } catch (error) {
    await Promise.allSettled(storing)
    await discard(store, workspace, received.files)
    throw isBrokenForm(error) ? new Unreadable() : error
  }
}

/** Reads what a form has before its first file, and leaves the rest unread. Gives what can be read of a broken one. */
export async function fieldsOf(req: Request<any>): Promise<Form> {
  const read = { fields: {}, form: {} }
  const parser = parserOf(req, { size: 0, total: 0 })
  const done = new Promise<void>(resolve => {
    for (const it of ['finish', 'close', 'error']) parser.on(it, () => resolve())
    parser.on('file', (_field, stream) => {
      stream.resume()
      resolve()
    })
    req.on('close', () => resolve())
  })
  parser.on('field', (name, value) => addField(read, name, value))
  req.pipe(parser)
  await done
  req.unpipe(parser)
  req.resume()
  return read.form
}

function addField({ fields, form }: Pick<Received, 'fields' | 'form'>, name: string, given: string): void {
  if (name in Object.prototype) return
  const value = given.toWellFormed().replaceAll('\0', '')
  fields[name] = value
  const before = form[name]
  form[name] = before === undefined ? value : [before, value].flat()
}

/**
 * Removes files that were refused after they had arrived. After any other error they stay: a transaction can be committed
 * although its answer was lost. What no row knows is swept up later.
 */
export async function discardRefused(
  error: unknown,
  of: { store: FileStore; workspace: string; files: ReceivedFile[] },
): Promise<never> {
  if (error instanceof Problem && error.status < 500) await discard(of.store, of.workspace, of.files)
  throw error
}

/** Removes stored files. */
async function discard(store: FileStore, workspace: string, files: Pick<ReceivedFile, 'id'>[]): Promise<void> {
  await Promise.allSettled(files.map(it => store.remove(fileKey(workspace, it.id))))
}

const tooLarge = 'This file is larger than the {size} allowed.'
const tooMany = 'There are too many files.'
const tooFull = 'There isn’t enough space left for this file.'

function parserOf(req: Request<any>, { size }: Limits): BusboyInstance {
  const headers = req.headers as BusboyHeaders
  if (!req.is('multipart/form-data')) throw new Unreadable()
  return new Busboy({ headers, limits: { fileSize: size, files: mostFiles, fields: 50, fieldSize: 10_000 } })
}

/** Looks at the beginning of a file before any of it is stored. */
async function opened(stream: BusboyFileStream, name: string, tooMuch: string) {
  const parts = stream.iterator({ destroyOnReturn: false })
  const head: Uint8Array[] = []
  let size = 0
  while (size < headSize) {
    const { value, done } = await parts.next()
    if (done) break
    head.push(value)
    size += value.length
  }
  if (!size) throw new RefusedFile('This file is empty.')
  const type = await typeOf(Buffer.concat(head).subarray(0, headSize), name)
  async function* source() {
    yield* head
    yield* parts
    if (stream.truncated) throw new RefusedFile(tooMuch)
  }
  return { type, source: source() }
}

/** The connection was lost, or what came is no form. */
const isBrokenForm = (error: any) =>
  error?.code === 'ERR_STREAM_PREMATURE_CLOSE' ||
  error?.code === 'ECONNRESET' ||
  /^(Unexpected end|Multipart:|Malformed|Part terminated|Unsupported content)/.test(error?.message)
