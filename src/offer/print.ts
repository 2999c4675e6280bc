import type { PrintedDocument } from '../pdf/pdf.ts'
import { paper, paragraphs, printedLines, printedSums } from '../pdf/print.ts'
import type { Reader } from '../section.ts'
import type { Offer } from './port.ts'

/** An offer on paper; `one` is what its kind is called. */
export function printed(it: Offer, one: string, visit: Reader): PrintedDocument {
  const { t, day, money } = visit
  return {
    ...paper(visit),
    title: it.title,
    number: t('{number}, version {version}', { number: it.number, version: it.version }),
    date: it.sentOn,
    addressee: { label: t('For'), lines: it.to },
    stamp: stamps(visit)[it.status],
    facts: [
      [one, it.number],
      [t('Date'), day(it.sentOn)],
      ...(it.validUntil ? [[t('Valid until'), day(it.validUntil)] as [string, string]] : []),
      ...(it.owner ? [[t('Prepared by'), it.owner] as [string, string]] : []),
    ],
    intro: paragraphs(it.intro),
    groups: printedLines(it.lines, visit),
    sums: [...printedSums(it.sums, visit), [t('Total'), money(it.total), true]],
    terms: [
      ...paragraphs(it.terms),
      ...(it.attachments?.length
        ? [t('Attached: {files}', { files: it.attachments.map(one => one.name).join(', ') })]
        : []),
    ],
  }
}

/** What is no longer on offer says so. */
const stamps = ({ t }: Reader): Partial<Record<Offer['status'], PrintedDocument['stamp']>> => ({
  declined: { words: t('Declined'), tone: '' },
  expired: { words: t('Expired'), tone: '' },
  withdrawn: { words: t('Withdrawn'), tone: 'bad' },
})
