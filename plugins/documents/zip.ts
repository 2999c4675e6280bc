import { pipeline } from 'node:stream/promises'
import type { RequestHandler } from 'express'
import { ZipFile } from 'yazl'
import { cleanFileName, extensionOf } from '../../src/files/names.ts'
import { NotFound, TooMany } from '../../src/http/errors.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { Filter } from './pages.ts'
import type { Documents, Summary } from './port.ts'

/** Files in one zip. */
const most = 1_000

/** 422: more files than fit into one zip. */
class TooManyFiles extends TooMany {
  message = 'There are too many files for one zip.'
  advice = 'Choose a folder, or search for those that you need.'
}

/** Streams all documents of a list, or of a folder, as a zip: nothing is stored, and each file is read when its turn comes. */
export const sendZip: RequestHandler = async (req, res) => {
  const filter = Filter.parse(req.query)
  const { documents } = req.portal.crm
  const { folders } = await documents.overview()
  const folder = folders.find(it => it.id === filter.folder)
  if (filter.folder && !folder) throw new NotFound()
  const items = await everyOne(documents, filter)
  if (!items.length) throw new NotFound()
  await recordEvent(req, {
    event: 'documents.zip_downloaded',
    subject: { count: items.length, folder: folder?.name ?? '' },
  })
  const name = folder?.name ?? req.portal.t('Documents')
  res
    .attachment(`${cleanFileName(name)}.zip`)
    .type('application/zip')
    .set('Cache-Control', 'private, no-store')
  const zip = zipOf(documents, items)
  // A reader who leaves is no error, and an answer that has begun cannot become one.
  await pipeline(zip.outputStream, res).catch(error => res.destroy(error))
}

async function everyOne(documents: Documents, filter: Parameters<Documents['list']>[0]): Promise<Summary[]> {
  const found: Summary[] = []
  let after: string | undefined
  do {
    const page = await documents.list({ ...filter, after, size: 100 })
    found.push(...page.items.filter(it => it.state === 'ready'))
    if (found.length > most) throw new TooManyFiles()
    after = page.next ?? undefined
  } while (after)
  return found
}

function zipOf(documents: Documents, items: Summary[]): ZipFile {
  const zip = new ZipFile()
  zip.on('error', error => (zip.outputStream as NodeJS.ReadableStream & { destroy(error: Error): void }).destroy(error))
  const taken = new Set<string>()
  for (const it of items) {
    const place = freeName(`${it.folder ? `${cleanFileName(it.folder.name)}/` : ''}${cleanFileName(it.name)}`, taken)
    const options = { mtime: new Date(it.at), compress: isCompressible(it.type) }
    zip.addReadStreamLazy(place, options, done => {
      documents
        .content(it.id, it.version)
        .then(content => content.open())
        .then(
          stream => done(null, stream),
          error => done(error, undefined as never),
        )
    })
  }
  zip.end()
  return zip
}

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
