import type { RequestContext } from '../../src/http/context.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { printedDocument } from '../../src/pdf/print.ts'
import { csv } from '../../src/platform/csv.ts'
import type { Payment, Receipt } from './port.ts'
import { words } from './words.ts'

/** A receipt on paper: what was paid, when, how and for which invoices. */
export function printed(it: Receipt, context: RequestContext): PrintedDocument {
  const { t, day, money } = context
  return {
    ...printedDocument(context),
    title: t('Receipt'),
    number: `${t('Receipt')} ${it.on}`,
    date: it.on,
    addressee: { label: t('Received from'), lines: it.from },
    facts: [
      [t('Date'), day(it.on)],
      [t('How'), words(context).methods[it.method]],
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
    totals: [[t('Received, thank you'), money(it.amount), true]],
    terms: [],
  }
}

/** CSV with plain numbers and ISO dates, for bookkeeping. */
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
