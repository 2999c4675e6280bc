import type { RequestContext } from '../../src/context.ts'
import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { minus, paper, paragraphs, printedLines, printedSums } from '../../src/pdf/print.ts'
import { squares } from '../../src/qr.ts'
import { giroCode } from './girocode.ts'
import type { Invoice } from './port.ts'
import { words } from './words.ts'

/** An invoice on paper, with what was paid and credited since. */
export function printed(it: Invoice, visit: RequestContext): PrintedDocument {
  const { t, day, money } = visit
  const settled = it.payments.length + it.creditNotes.length > 0
  return {
    ...paper(visit),
    title: t('Invoice {number}', { number: it.number }),
    number: it.number,
    date: it.sentOn,
    addressee: { label: t('To'), lines: it.to },
    stamp: it.status === 'cancelled' ? { words: t('Cancelled'), tone: 'bad' } : undefined,
    facts: [
      [t('Invoice'), it.number],
      [t('Date'), day(it.sentOn)],
      [t('Due'), day(it.dueOn)],
      ...(it.orderNumber ? [[t('Your order'), it.orderNumber] as [string, string]] : []),
    ],
    intro: [it.title],
    groups: printedLines(it.lines, visit),
    sums: [
      ...printedSums(it.sums, visit),
      [t('Invoice total'), money(it.total), !settled],
      ...it.creditNotes.map(({ number, amount }): PrintedDocument['sums'][number] => [
        t('Credit note {number}', { number }),
        money(minus(amount)),
        false,
      ]),
      ...it.payments.map(({ on, amount }): PrintedDocument['sums'][number] => [
        t('Paid on {day}, thank you', { day: day(on) }),
        money(minus(amount)),
        false,
      ]),
      ...(settled ? [[t('Still open'), money(it.balance), true] as PrintedDocument['sums'][number]] : []),
    ],
    todo: howToPay(it, visit),
    terms: paragraphs(it.remarks),
  }
}

function howToPay(it: Invoice, visit: RequestContext): PrintedDocument['todo'] {
  if (!it.account || (it.status !== 'open' && it.status !== 'overdue')) return undefined
  const { term, transfer, scan } = words(visit)
  const scanned = giroCode(it)
  return {
    heading: visit.t('How to pay'),
    intro: [visit.t('By bank transfer.'), it.termDays === null ? '' : term(it.termDays)].join(' ').trim(),
    code: scanned ? { ...squares(scanned), alt: scan(it, it.account) } : undefined,
    facts: transfer(it, it.account).map(([label, value]) => [label, value]),
  }
}
