import { z } from 'zod'
import { questionsOfList } from '../../../src/crm/mapping/listing.ts'
import type { Questions } from '../../../src/crm/mapping/section.ts'
import { TooMany } from '../../../src/http/errors.ts'
import { Invoice, type Invoices, Overview, Statement, Summary, sorts, statuses } from '../port.ts'

/** All that the pages of invoices ask, for `doctor`. */
export const questions: Questions<Invoices> = (port, { id, today }) => {
  const year = Number(today.slice(0, 4))
  const since = [`${year}-01-01`, `${year - 1}-01-01`]
  return {
    ...questionsOfList(port, { statuses, sorts, item: Summary }),
    'the overview': async () => Overview.parse(await port.overview({ since, monthsFrom: since[1]! })),
    'the statement': async () => z.array(Statement).parse(await statement(port, since[1]!, today)),
    ...(id === undefined ? {} : { 'one invoice': async () => Invoice.parse(await port.find(id)) }),
  }
}

/** Of too many entries there is none, which a page says. */
const statement = (port: Invoices, from: string, until: string) =>
  port.statement(from, until).catch(error => {
    if (error instanceof TooMany) return []
    throw error
  })
