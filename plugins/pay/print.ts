import Big from 'big.js'
import type { RequestContext } from '../../src/http/context.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { minus, printedDocument } from '../../src/pdf/print.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Payment } from './payments.ts'
import { methodOf } from './words.ts'

/** A receipt on paper: what was paid online, when, how, for which documents, and what went back of it. */
export function printedReceipt(it: Payment, client: string, context: RequestContext): PrintedDocument {
  const { t, day, money, workspace } = context
  const on = dateIn(zoneOf(workspace.timeZone), it.paidAt ?? it.startedAt)
  const fee = Big(it.fee.amount).gt(0)
  const back = Big(it.refunded.amount).gt(0)
  return {
    ...printedDocument(context),
    title: t('Receipt'),
    number: `${t('Receipt')} ${it.reference}`,
    date: on,
    addressee: { label: t('Received from'), lines: [client, it.payer] },
    facts: [
      [t('Date'), day(on)],
      [t('How'), methodOf(it, context)],
      [t('Reference'), it.reference],
    ],
    intro: [],
    columns: [t('Paid for'), '', t('Amount')],
    groups: [
      {
        heading: null,
        lines: it.shares.map(({ title, number, amount }) => ({
          ...{ title, details: [number], quantity: '', amount: money(amount) },
          ...{ optional: false, chosen: true },
        })),
      },
    ],
    totals: [
      ...(fee ? [[t('Fee'), money(it.fee), false] as [string, string, boolean]] : []),
      [t('Received, thank you'), money(it.total), true],
      ...(back ? [[t('Refunded'), money(minus(it.refunded)), false] as [string, string, boolean]] : []),
    ],
    terms: [],
  }
}
