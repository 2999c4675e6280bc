import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { ZipFile } from 'yazl'
import { cleanFileName, extensionOf } from './names.ts'

/** A file in a zip. */
export interface Zipped {
  /** The outermost first; none if not given. */
  folders?: string[]
  name: string
  type: string
  at: Date
  open(): Promise<Readable>
}

/** Streams files as a zip of this name: nothing is stored, and each file is read when its turn comes. */
export async function sendZipOf(res: Response, name: string, files: Zipped[]): Promise<void> {
  res
    .attachment(`${cleanFileName(name)}.zip`)
    .type('application/zip')
    .set('Cache-Control', 'private, no-store')
  // A reader who leaves is no error, and an answer that has begun cannot become one.
  await pipeline(zipOf(files).outputStream, res).catch(error => res.destroy(error))
}

function zipOf(files: Zipped[]): ZipFile {
  const zip = new ZipFile()
  zip.on('error', error => (zip.outputStream as NodeJS.ReadableStream & { destroy(error: Error): void }).destroy(error))
  const taken = new Set<string>()
  for (const { folders = [], name, type, at, open } of files) {
    const place = freeName([...folders.map(cleanFolder), cleanFileName(name)].join('/'), taken)
    zip.addReadStreamLazy(place, { mtime: at, compress: isCompressible(type) }, done => {
      open().then(
        stream => done(null, stream),
        error => done(error, undefined as never),
      )
    })
  }
  zip.end()
  return zip
}

/** A slash in a name is no folder in a folder. */
const cleanFolder = (name: string) => cleanFileName(name.replace(/[/\\]/g, '-'))

/** Two files of one name are told apart by a number. */
function freeName(wanted: string, taken: Set<string>): string {
  const extension = extensionOf(wanted)
  const base = extension ? wanted.slice(0, -extension.length - 1) : wanted
  let name = wanted
  for (let at = 2; taken.has(name.toLowerCase()); at++) name = `${base} (${at})${extension && `.${extension}`}`
  taken.add(name.toLowerCase())
  return name
}

const isCompressible = (type: string) => /^text\/|octet-stream/.test(type)
