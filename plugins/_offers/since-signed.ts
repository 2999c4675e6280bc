import type { RequestContext } from '../../src/http/context.ts'
import { Content, type Difference, differences, type SignedSummary } from './content.ts'
import type { Summary } from './port.ts'

type Speech = Pick<RequestContext, 'day' | 'money' | 't'>

/** What the CRM has changed of a document since it was signed. What an older release kept may have another shape. */
export function changesSinceSigned(evidence: string | null | undefined, now: Content, speech: Speech): Difference[] {
  return evidence ? changesBetween(JSON.parse(evidence).document.content, now, speech) : []
}

/** The same of the content that was signed. */
export function changesBetween(signed: object, now: Content, speech: Omit<Speech, 't'>): Difference[] {
  const kept = Content.safeParse(signed).data
  return kept ? differences(kept, now, speech) : []
}

/** The same by what a list knows: its number, title, total and last day. */
export const listedOtherwise = (signed: SignedSummary | undefined, now: Summary, { money }: Speech): boolean =>
  signed !== undefined &&
  (signed.number !== now.number ||
    signed.title !== now.title ||
    (signed.validUntil ?? null) !== now.validUntil ||
    money(signed.total) !== money(now.total))
