import type { Request } from 'express'
import { z } from 'zod'
import type { RequestContext } from '../../src/context.ts'
import { csv } from '../../src/csv.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { paper } from '../../src/pdf/print.ts'
import type { Statement } from './port.ts'

const date = z.iso
  .date()
  .refine(it => it > '2000' && it < '2100')
  .optional()
  .catch(undefined)
export const Period = z.object({ from: date, until: date })

/** Plain dates, both within it. */
type Period = { from: string; until: string }

/** This year so far, unless the address names another period that begins before it ends. */
export function periodOf(req: Request<any>): Period {
  const { from, until } = Period.parse(req.query)
  const { today } = req.portal.customer
  const end = until ?? today
  const start = from ?? `${end.slice(0, 4)}-01-01`
  return start <= end ? { from: start, until: end } : { from: end, until: start }
}

export const kinds = ({ t }: RequestContext) => ({
  invoice: t('Invoice'),
  payment: t('Payment, thank you'),
  'credit note': t('Credit note'),
})

/** The account of each currency under a heading of its own, with what is open before, after each entry and in the end. */
export function printedStatement(
  { from, until }: Period,
  statements: Statement[],
  visit: RequestContext,
): PrintedDocument {
  const { t, day, money, customer } = visit
  const period = t('{from} to {until}', { from: day(from), until: day(until) })
  const words = kinds(visit)
  return {
    ...paper(visit),
    title: t('Statement of account'),
    number: period,
    date: until,
    addressee: { label: t('To'), lines: [customer.client.name] },
    facts: [],
    intro: [period, ...(statements.length ? [] : [t('Nothing in this period')])],
    columns: [t('What'), t('Amount'), t('Open after it')],
    groups: statements.map(({ opening, entries }) => ({
      heading: t('What came and went, in {currency}', { currency: opening.currency }),
      lines: [
        row(t('Open before {day}', { day: day(from) }), [], '', money(opening)),
        ...entries.map(it =>
          row(
            it.kind === 'invoice' ? it.invoice.title : words[it.kind],
            [`${day(it.on)} · ${it.number}`],
            money(it.amount),
            money(it.balance),
          ),
        ),
      ],
    })),
    sums: statements.map(({ closing }) => [t('Open on {day}', { day: day(until) }), money(closing), true]),
    terms: [],
  }
}

const row = (title: string, details: string[], quantity: string, amount: string) => ({
  ...{ title, details, quantity, amount },
  ...{ optional: false, chosen: true },
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
