import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { Conflict, NotFound } from '../http/errors.ts'
import type { ByteRange, FileStore } from '../platform/files.ts'
import { MissingFile } from '../platform/files.ts'

/** A file to send: `open` reads it, or a range of its bytes. */
export interface SentFile {
  name: string
  type: string
  size: number
  /** Never the same for other bytes: for `If-Range` and `If-None-Match`. */
  version: string
  open(range?: ByteRange): Promise<Readable>
  /** See `FileStore.address`. */
  address?: (as: { type: string; disposition: string }) => Promise<string>
}

/** How a file in the store is read, and the address where a browser may fetch it, if there is one. */
export const inStore = (store: FileStore, key: string): Pick<SentFile, 'open' | 'address'> => ({
  open: range => store.read(key, range),
  address: store.address && (as => store.address!(key, as)),
})

/**
 * Streams a file for download, or the one range that is asked for (RFC 9110, 14). The name is sent as RFC 6266 and RFC 8187
 * have it. It is always an attachment, and a browser that shows it anyway runs nothing in it.
 */
export async function sendStoredFile(req: Request<any>, res: Response, file: SentFile): Promise<void> {
  const tag = `"${file.version}"`
  res.attachment(file.name).set({
    'Content-Type': downloadType(file.type),
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'same-origin',
    ETag: tag,
  })
  if (req.get('If-None-Match') === tag) return void res.status(304).end()
  const range = rangeOf(req, file.size, tag)
  if (range === 'unsatisfiable') return void res.status(416).set('Content-Range', `bytes */${file.size}`).end()
  if (file.address && req.method === 'GET') {
    const as = { type: downloadType(file.type), disposition: res.get('Content-Disposition') ?? 'attachment' }
    return res.set('Cache-Control', 'private, no-store').redirect(302, await file.address(as))
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 }
  res.status(range ? 206 : 200).set('Content-Length', String(end - start + 1))
  if (range) res.set('Content-Range', `bytes ${start}-${end}/${file.size}`)
  if (req.method === 'HEAD') return void res.end()
  const stream = await file.open(range).catch(error => {
    throw error instanceof MissingFile ? new NotFound() : error
  })
  // A reader who leaves is no error, and an answer that has begun cannot become one.
  await pipeline(stream, res).catch(error => res.destroy(error))
}

/** Several ranges in one request are answered with the whole file, which RFC 9110 (14.2) allows. */
function rangeOf(req: Request<any>, size: number, tag: string): ByteRange | 'unsatisfiable' | undefined {
  const condition = req.get('If-Range')
  if (condition && condition !== tag) return undefined
  const ranges = req.range(size)
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  return ranges[0]
}

/** What could run or be styled as a page of ours is sent as plain bytes. */
const downloadType = (type: string) =>
  /^(image\/(png|jpeg|gif|webp|avif|heic|tiff|bmp)|video\/|audio\/|application\/(pdf|zip|vnd\.[\w.+-]+))/.test(type)
    ? type
    : 'application/octet-stream'

/** 409: a file that is being scanned for viruses. */
export class BeingChecked extends Conflict {
  message = 'This file is being checked for viruses.'
  advice = 'This usually takes a few seconds. Try again in a moment.'
}
