import type { RequestContext } from '../../src/context.ts'
import { csv } from '../../src/csv.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { paper } from '../../src/pdf/print.ts'
import type { Payment, Receipt } from './port.ts'
import { words } from './words.ts'

/** A receipt on paper: what was paid, when, how and for which invoices. */
export function printed(it: Receipt, visit: RequestContext): PrintedDocument {
  const { t, day, money } = visit
  return {
    ...paper(visit),
    title: t('Receipt'),
    number: `${t('Receipt')} ${it.on}`,
    date: it.on,
    addressee: { label: t('Received from'), lines: it.from },
    facts: [
      [t('Date'), day(it.on)],
      [t('How'), words(visit).methods[it.method]],
      ...(it.reference ? [[t('Reference'), it.reference] as [string, string]] : []),
      ...(it.payer ? [[t('Payer'), it.payer] as [string, string]] : []),
    ],
    intro: [],
    columns: [t('Paid for'), '', t('Amount')],
    groups: [
      {
        heading: null,
        lines: it.invoices.map(({ title, number, amount }) => ({
          ...{ title, details: [t('Invoice {number}', { number })], quantity: '', amount: money(amount) },
          ...{ optional: false, chosen: true },
        })),
      },
    ],
    sums: [[t('Received, thank you'), money(it.amount), true]],
    terms: [],
  }
}

/** Plain numbers and ISO dates, for whoever keeps the books. */
export const paymentsCsv = (payments: Payment[]): string =>
  csv([
    ['date', 'amount', 'currency', 'method', 'reference', 'payer', 'invoices'],
    ...payments.map(it => [
      it.on,
      it.amount.amount,
      it.amount.currency,
      it.method,
      it.reference,
      it.payer,
      it.invoices.map(({ number }) => number).join(' '),
    ]),
  ])
