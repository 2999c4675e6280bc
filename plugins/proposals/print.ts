import type { PrintedDocument } from '../../src/pdf/pdf.ts'
import { paper, paragraphs, printedLines, printedSums } from '../../src/pdf/print.ts'
import type { Visit } from '../../src/visit.ts'
import type { Proposal } from './port.ts'

/** A proposal on paper. */
export function printed(it: Proposal, visit: Visit): PrintedDocument {
  const { t, day, money } = visit
  return {
    ...paper(visit),
    title: it.title,
    number: t('{number}, version {version}', { number: it.number, version: it.version }),
    date: it.sentOn,
    addressee: { label: t('For'), lines: it.to },
    stamp: stamps(visit)[it.status],
    facts: [
      [t('Proposal'), it.number],
      [t('Date'), day(it.sentOn)],
      ...(it.validUntil ? [[t('Valid until'), day(it.validUntil)] as [string, string]] : []),
      ...(it.owner ? [[t('Prepared by'), it.owner] as [string, string]] : []),
    ],
    intro: paragraphs(it.intro),
    groups: printedLines(it.lines, visit),
    sums: [...printedSums(it.sums, visit), [t('Total'), money(it.total), true]],
    terms: paragraphs(it.terms),
  }
}

/** What is no longer on offer says so. */
const stamps = ({ t }: Visit): Partial<Record<Proposal['status'], PrintedDocument['stamp']>> => ({
  declined: { words: t('Declined'), tone: '' },
  expired: { words: t('Expired'), tone: '' },
  withdrawn: { words: t('Withdrawn'), tone: 'bad' },
})
