import { questionsOfList } from '../../src/crm/mapping/listing.ts'
import type { Questions } from '../../src/crm/mapping/section.ts'
import { Counts, Summary, sorts, statuses, Task, type Tasks } from './port.ts'

/** All that the pages of tasks ask, for `doctor`. Nothing is completed. */
export const questions: Questions<Tasks> = (port, { id }) => ({
  ...questionsOfList({ list: port.list }, { statuses, sorts, item: Summary }),
  'the counts': async () => Counts.parse(await port.overview()),
  'the counts of a search': async () => Counts.parse(await port.overview('1')),
  ...(id === undefined ? {} : { 'one task': async () => Task.parse(await port.find(id)) }),
})
