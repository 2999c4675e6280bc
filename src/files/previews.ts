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
export async function previewOf(it: Previewed, size: PreviewSize): Promise<Buffer | undefined> {
  if (!isPreviewable(it) || failed.has(it.key)) return undefined
  const stored = await it.store.read(keyOf(it.key, size)).catch(ignoreMissing)
  if (stored) return buffer(stored)
  const making = underWay.get(it.key) ?? make(it)
  underWay.set(it.key, making)
  return (await making.finally(() => underWay.delete(it.key)))?.[size]
}

/** Keys of a file's previews, for who removes the file. */
export const previewKeys = (key: string): string[] => (Object.keys(sizes) as PreviewSize[]).map(it => keyOf(key, it))

const keyOf = (key: string, size: PreviewSize) => `${key}-${size}`

/** Files of which no preview can be made, in this process: nobody has to find out twice. */
const failed = new Set<string>()
const underWay = new Map<string, Promise<Record<PreviewSize, Buffer> | undefined>>()

async function make({ store, key, type, open }: Previewed): Promise<Record<PreviewSize, Buffer> | undefined> {
  const answer = await inTurn({ type, bytes: await buffer(await open()), sizes: Object.values(sizes) })
  if ('error' in answer) {
    if (failed.size > 10_000) failed.clear()
    failed.add(key)
    return undefined
  }
  const [small, large] = answer.previews.map(it => Buffer.from(it))
  const made = { small: small!, large: large! }
  for (const size of Object.keys(made) as PreviewSize[])
    await store.write(keyOf(key, size), partsOf(made[size])).catch(ignoreStored)
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
  const late = AbortSignal.timeout(limits.patience)
  try {
    process.send(job)
    const [answer] = await Promise.race([
      once(process, 'message', { signal: late }),
      once(process, 'exit', { signal: late }).then(() => [{ error: 'the process ended' }]),
    ])
    idle = setTimeout(endPreviews, limits.idle).unref()
    return answer
  } catch (error) {
    endPreviews()
    return { error: (error as Error).message }
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
