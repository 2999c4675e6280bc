import type { Request } from 'express'
import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { printedDocument } from '../../src/pdf/print.ts'
import { csv } from '../../src/platform/csv.ts'
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
  adjustment: t('Settled otherwise'),
})

/**
 * The statement by currency, each under its own heading, with the balance before, after each entry and at the end.
 */
export function printedStatement(
  { from, until }: Period,
  statements: Statement[],
  context: RequestContext,
): PrintedDocument {
  const { t, day, money, customer } = context
  const period = t('{from} to {until}', { from: day(from), until: day(until) })
  const words = kinds(context)
  return {
    ...printedDocument(context),
    title: t('Statement of account'),
    number: period,
    date: until,
    addressee: { label: t('To'), lines: [customer.client.name] },
    facts: [],
    intro: [period, ...(statements.length ? [] : [t('Nothing in this period')])],
    columns: [t('Transaction'), t('Amount'), t('Balance')],
    groups: statements.map(({ opening, entries }) => ({
      heading: t('Transactions in {currency}', { currency: opening.currency }),
      lines: [
        row(t('Opening balance on {day}', { day: day(from) }), [], '', money(opening)),
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
    totals: statements.map(({ closing }) => [
      t('Closing balance on {day}, {currency}', { day: day(until), currency: closing.currency }),
      money(closing),
      true,
    ]),
    terms: [],
  }
}

const row = (title: string, details: string[], quantity: string, amount: string) => ({
  ...{ title, details, quantity, amount },
  ...{ optional: false, chosen: true },
})

/** CSV with plain numbers and ISO dates, for bookkeeping. */
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
