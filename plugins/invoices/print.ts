import type { RequestContext } from '../../src/http/context.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { minus, paragraphs, printedDocument, printedLines, printedTotals } from '../../src/pdf/print.ts'
import { giroCode } from '../../src/platform/girocode.ts'
import { qrSquares } from '../../src/platform/qr.ts'
import type { Invoice } from './port.ts'
import { words } from './words.ts'

/** An invoice on paper, with what was paid and credited since. */
export function printed(it: Invoice, context: RequestContext): PrintedDocument {
  const { t, day, money } = context
  const { isCredit, paidOn } = words(context)
  const credit = isCredit(it)
  const settled = it.payments.length + it.creditNotes.length > 0 || Boolean(it.adjustment)
  return {
    ...printedDocument(context),
    title: credit ? t('Credit note {number}', { number: it.number }) : t('Invoice {number}', { number: it.number }),
    number: it.number,
    date: it.sentOn,
    addressee: { label: t('To'), lines: it.to },
    stamp: it.status === 'cancelled' ? { words: t('Cancelled'), tone: 'bad' } : undefined,
    facts: [
      [credit ? t('Credit note') : t('Invoice'), it.number],
      [t('Date'), day(it.sentOn)],
      ...(credit ? [] : [[t('Due'), day(it.dueOn)] as [string, string]]),
      ...(it.orderNumber ? [[t('Your order'), it.orderNumber] as [string, string]] : []),
    ],
    intro: it.title === it.number ? [] : [it.title],
    groups: printedLines(it.lines, context),
    totals: [
      ...printedTotals(it.sums, context),
      [t('Invoice total'), money(it.total), !settled],
      ...it.creditNotes.map(({ number, amount }): PrintedDocument['totals'][number] => [
        t('Credit note {number}', { number }),
        money(minus(amount)),
        false,
      ]),
      ...it.payments.map((one): PrintedDocument['totals'][number] => [paidOn(one), money(minus(one.amount)), false]),
      ...(it.adjustment
        ? [[t('Settled otherwise'), money(minus(it.adjustment)), false] as PrintedDocument['totals'][number]]
        : []),
      ...(settled ? [[t('Still open'), money(it.balance), true] as PrintedDocument['totals'][number]] : []),
    ],
    todo: howToPay(it, context),
    terms: paragraphs(it.remarks),
  }
}

function howToPay(it: Invoice, context: RequestContext): PrintedDocument['todo'] {
  if (!it.account || (it.status !== 'open' && it.status !== 'overdue')) return undefined
  const { term, transfer, scan } = words(context)
  const scanned = giroCode(it)
  return {
    heading: context.t('How to pay'),
    intro: [context.t('By bank transfer.'), it.termDays === null ? '' : term(it.termDays)].join(' ').trim(),
    code: scanned ? { ...qrSquares(scanned), alt: scan(it, it.account) } : undefined,
    facts: transfer(it, it.account).map(([label, value]) => [label, value]),
  }
}
