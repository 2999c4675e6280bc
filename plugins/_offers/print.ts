import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { paragraphs, printedDocument, printedLines, printedTotals } from '../../src/pdf/print.ts'
import type { DocumentReader } from '../../src/plugin/parts.ts'
import { downPaymentWords, dueOnAcceptance } from './down-payment.ts'
import type { Offer } from './port.ts'

/** An offer on paper; `one` is what its kind is called. */
export function printed(it: Offer, one: string, context: DocumentReader): PrintedDocument {
  const { t, day, money } = context
  const due = dueOnAcceptance(it)
  return {
    ...printedDocument(context),
    title: it.title,
    number: t('{number}, version {version}', { number: it.number, version: it.version }),
    date: it.sentOn,
    addressee: { label: t('For'), lines: it.to },
    stamp: stamps(context)[it.status],
    facts: [
      [one, it.number],
      [t('Date'), day(it.sentOn)],
      ...(it.validUntil ? [[t('Valid until'), day(it.validUntil)] as [string, string]] : []),
      ...(it.owner ? [[t('Prepared by'), it.owner] as [string, string]] : []),
    ],
    intro: paragraphs(it.intro),
    groups: printedLines(it.lines, context),
    totals: [
      ...printedTotals(it.sums, context),
      [t('Total'), money(it.total), true],
      ...(due ? [[downPaymentWords(it, context), money(due), false] as [string, string, boolean]] : []),
    ],
    terms: [
      ...paragraphs(it.terms),
      ...(it.attachments?.length
        ? [t('Attached: {files}', { files: it.attachments.map(one => one.name).join(', ') })]
        : []),
    ],
  }
}

/** What is no longer on offer says so. */
const stamps = ({ t }: DocumentReader): Partial<Record<Offer['status'], PrintedDocument['stamp']>> => ({
  declined: { words: t('Declined'), tone: '' },
  expired: { words: t('Expired'), tone: '' },
  withdrawn: { words: t('Withdrawn'), tone: 'bad' },
})
