import type { RequestHandler } from 'express'
import { sendZipOf } from '../../src/files/zip.ts'
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
  const open = (it: Summary) => async () => (await documents.content(it.id, it.version)).open()
  const zipped = items.map(it => ({
    ...it,
    folders: it.folder ? [it.folder.name] : [],
    at: new Date(it.at),
    open: open(it),
  }))
  await sendZipOf(res, folder?.name ?? req.portal.t('Documents'), zipped)
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
