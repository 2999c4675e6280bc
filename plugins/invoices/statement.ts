import type { Request } from 'express'
import { z } from 'zod'
import { csv } from '../../src/csv.ts'
import type { Visit } from '../../src/visit.ts'
import type { Statement } from './port.ts'

const date = z.iso
  .date()
  .refine(it => it > '2000' && it < '2100')
  .optional()
  .catch(undefined)
const Period = z.object({ from: date, until: date })

/** This year so far, unless the address names another period that begins before it ends. */
export function periodOf(req: Request): { from: string; until: string } {
  const { from, until } = Period.parse(req.query)
  const { today } = req.portal.customer
  const end = until ?? today
  const start = from ?? `${end.slice(0, 4)}-01-01`
  return start <= end ? { from: start, until: end } : { from: end, until: start }
}

export const kinds = ({ t }: Visit) => ({
  invoice: t('Invoice'),
  payment: t('Payment, thank you'),
  'credit note': t('Credit note'),
})

/** Plain numbers and ISO dates, for whoever keeps the books. */
export const statementCsv = (statements: Statement[]): string =>
  csv([
    ['date', 'kind', 'number', 'invoice', 'title', 'currency', 'amount', 'balance'],
    ...statements.flatMap(({ opening, entries }) => [
      ['', 'opening', '', '', '', opening.currency, '', opening.amount],
      ...entries.map(({ on, kind, number, invoice, amount, balance }) => [
        on,
        kind,
        number,
        invoice.number,
        invoice.title,
        amount.currency,
        amount.amount,
        balance.amount,
      ]),
    ]),
  ])
