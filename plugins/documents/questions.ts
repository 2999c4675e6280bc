import { questionsOfList } from '../../src/crm/mapping/listing.ts'
import type { Questions } from '../../src/crm/mapping/section.ts'
import { Document, type Documents, Overview, Summary, sorts, statuses } from './port.ts'

/** All that the pages of documents ask, for `doctor`. No file is opened. */
export const questions: Questions<Documents> = (port, { id }) => ({
  ...questionsOfList(port, { statuses, sorts, item: Summary }),
  'the folders and counts': async () => Overview.parse(await port.overview()),
  ...(id === undefined ? {} : { 'one document': async () => Document.parse(await port.find(id)) }),
})
