import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Response } from 'express'
import { NotFound } from '../http/errors.ts'
import { AlreadyStored, type FileStore, MissingFile } from '../platform/files.ts'

export interface PreviewJob {
  type: string
  bytes: Uint8Array
  /** Width and height at most, in pixels. */
  sizes: number[]
  /** Which page of a PDF; the first is 1. */
  page: number
}

/** WebP pictures, one for each size. */
export type PreviewAnswer = { previews: Uint8Array[]; pages: number } | { error: string }

/** In pixels: in a list, and on the document's page. */
const sizes = { small: 176, large: 1_200 }
export type PreviewSize = keyof typeof sizes

/** The largest file that is looked at, in bytes; how long one may take, and when an idle process goes, in milliseconds. */
const limits = { size: 60_000_000, patience: 15_000, idle: 30_000, waiting: 100 }

/** Whether there can be a preview of a file. Never of SVG, which is a program as much as a picture. */
export const isPreviewable = ({ type, size }: { type: string; size: number }): boolean =>
  size <= limits.size && /^(image\/(png|jpeg|gif|webp|avif|tiff)|application\/pdf)$/.test(type)

interface Previewed {
  store: FileStore
  /** The key of the file. */
  key: string
  type: string
  size: number
  open(): Promise<Readable>
}

/**
 * Returns a picture of an image or of the first page of a PDF, as WebP. It is made once and stored beside the file.
 * Undefined where none can be made.
 */
export const previewOf = (it: Previewed, size: PreviewSize): Promise<Buffer | undefined> => pictureOf(it, size, first)

/** The same of another page of a PDF, in the large size; the first is 1. */
export async function pageOf(it: Previewed, page: number): Promise<Buffer | undefined> {
  if (page === 1) return previewOf(it, 'large')
  if (page > mostPages || page > (await pagesOf(it))) return undefined
  return pictureOf(it, `page-${page}`, { name: `page-${page}`, sizes: { [`page-${page}`]: sizes.large }, page })
}

/** How many pages of a PDF have a picture; 1 for an image, and 0 where none can be made. */
export async function pagesOf(it: Previewed): Promise<number> {
  const pages = await pictureOf(it, 'pages', first)
  return Math.min(Number(pages?.toString() ?? 0), mostPages)
}

/** The same, without making one: undefined until the first picture was made. */
export async function knownPages({ store, key }: Pick<Previewed, 'store' | 'key'>): Promise<number | undefined> {
  const stored = await store.read(keyOf(key, 'pages')).catch(ignoreMissing)
  return stored && Number((await buffer(stored)).toString())
}

/** Pictures that are made together, each under its name, and the number of pages. */
interface Making {
  name: string
  sizes: Record<string, number>
  page: number
}

const first: Making = { name: 'first', sizes, page: 1 }

/** Further pages are for a look at what it is: who reads on downloads it. */
const mostPages = 30

async function pictureOf(it: Previewed, name: string, making: Making): Promise<Buffer | undefined> {
  const which = keyOf(it.key, making.name)
  if (!isPreviewable(it) || failed.has(which)) return undefined
  const stored = await it.store.read(keyOf(it.key, name)).catch(ignoreMissing)
  if (stored) return buffer(stored)
  const made = underWay.get(which) ?? make(it, making)
  underWay.set(which, made)
  return (await made.finally(() => underWay.delete(which)))?.get(name)
}

/** Keys of a file's previews, for who removes the file. */
export const previewKeys = (key: string): string[] => {
  const further = Array.from({ length: mostPages - 1 }, (_, at) => `page-${at + 2}`)
  return [...Object.keys(sizes), 'pages', ...further].map(it => keyOf(key, it))
}

const keyOf = (key: string, name: string) => `${key}-${name}`

/** What no preview can be made of, in this process: nobody has to find out twice. */
const failed = new Set<string>()
const underWay = new Map<string, Promise<Map<string, Buffer> | undefined>>()

async function make({ store, key, type, open }: Previewed, it: Making): Promise<Map<string, Buffer> | undefined> {
  const bytes = await buffer(await open())
  const answer = await inTurn({ type, bytes, sizes: Object.values(it.sizes), page: it.page })
  if ('error' in answer) {
    if (failed.size > 10_000) failed.clear()
    failed.add(keyOf(key, it.name))
    return undefined
  }
  const made = new Map(Object.keys(it.sizes).map((name, at) => [name, Buffer.from(answer.previews[at]!)]))
  if (it === first) made.set('pages', Buffer.from(String(answer.pages)))
  for (const [name, picture] of made) await store.write(keyOf(key, name), partsOf(picture)).catch(ignoreStored)
  return made
}

async function* partsOf(bytes: Uint8Array) {
  yield bytes
}

/** Another process was quicker, with the same picture. */
const ignoreStored = (error: unknown) => {
  if (!(error instanceof AlreadyStored)) throw error
}

const ignoreMissing = (error: unknown) => {
  if (error instanceof MissingFile) return undefined
  throw error
}

/** Sends a preview as a picture that can neither load nor run anything. Throws NotFound without one. */
export function sendPreview(res: Response, bytes: Buffer | undefined): void {
  if (!bytes) throw new NotFound()
  res
    .set({
      'Cache-Control': 'private, max-age=3600',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Content-Disposition': 'inline; filename="preview.webp"',
      'Cross-Origin-Resource-Policy': 'same-origin',
    })
    .type('image/webp')
    .send(bytes)
}

let turn: Promise<unknown> = Promise.resolve()
let waiting = 0

/** One at a time: previews never take more than one processor. */
function inTurn(job: PreviewJob): Promise<PreviewAnswer> {
  if (waiting >= limits.waiting) return Promise.resolve({ error: 'too many are waiting' })
  waiting++
  const answer = turn.then(() => ask(job))
  turn = answer.catch(() => undefined).finally(() => waiting--)
  return answer
}

let child: ChildProcess | undefined
let idle: NodeJS.Timeout | undefined

async function ask(job: PreviewJob): Promise<PreviewAnswer> {
  clearTimeout(idle)
  child ??= start()
  const process = child
  const answered = new AbortController()
  const signal = AbortSignal.any([answered.signal, AbortSignal.timeout(limits.patience)])
  try {
    process.send(job)
    const [answer] = await Promise.race([
      once(process, 'message', { signal }),
      once(process, 'exit', { signal }).then(() => [{ error: 'the process ended' }]),
    ])
    idle = setTimeout(endPreviews, limits.idle).unref()
    return answer
  } catch (error) {
    endPreviews()
    return { error: (error as Error).message }
  } finally {
    answered.abort()
  }
}

/** Lets the process go; the next preview starts one again. */
export function endPreviews(): void {
  child?.kill('SIGKILL')
  child = undefined
}

/** Without our environment, which holds secrets. */
function start(): ChildProcess {
  const started = fork(join(import.meta.dirname, `preview-worker${extname(import.meta.filename)}`), {
    serialization: 'advanced',
    env: {},
    execArgv: ['--max-old-space-size=512'],
  })
  started.on('error', endPreviews)
  started.on('exit', () => {
    if (child === started) child = undefined
  })
  started.unref()
  started.channel?.unref()
  return started
}
