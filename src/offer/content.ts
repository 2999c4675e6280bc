import type { Offer } from './port.ts'

/** Of an offer what a client says yes to: all that is shown, without how it stands. */
export type Content = Omit<Offer, 'status' | 'word' | 'answeredOn' | 'answeredBy' | 'answerNote'>

export function contentOf(offer: Offer): Content {
  const { status, word, answeredOn, answeredBy, answerNote, ...content } = offer
  return content
}

/** As it was offered, so that it can be shown and printed once more. */
export const offerOf = (content: Content, status: Offer['status']): Offer => ({
  ...content,
  status,
  answeredOn: null,
  answeredBy: null,
  answerNote: null,
})

export interface Difference {
  what: 'number' | 'version' | 'title' | 'validUntil' | 'intro' | 'terms' | 'total' | 'line'
  /** Of the line. */
  of?: string
  before: string | null
  after: string | null
}

/** What of the document is other in the CRM now than what was signed: names of people and addresses are not compared. */
export function differences(signed: Content, now: Content): Difference[] {
  const plain = (['number', 'version', 'title', 'validUntil', 'intro', 'terms'] as const).flatMap(what => {
    const [before, after] = [signed[what], now[what]].map(it => (it === null ? null : String(it))) as [string, string]
    return before === after ? [] : [{ what, before, after }]
  })
  const total = amount(signed.total) === amount(now.total) ? [] : [totals(signed, now)]
  const longer = Math.max(signed.lines.length, now.lines.length)
  const lines = Array.from({ length: longer }, (_, at) => [signed.lines[at], now.lines[at]] as const).flatMap(
    ([before, after]): Difference[] => {
      const said = before && lineSaid(before)
      const says = after && lineSaid(after)
      if (said === says) return []
      return [{ what: 'line', of: (before ?? after)?.title, before: said ?? null, after: says ?? null }]
    },
  )
  return [...plain, ...total, ...lines]
}

const totals = (signed: Content, now: Content): Difference => ({
  what: 'total',
  before: amount(signed.total),
  after: amount(now.total),
})

const amount = (it: Content['total']) => `${it.amount} ${it.currency}`

const lineSaid = (it: Content['lines'][number]) =>
  [
    it.group,
    it.title,
    it.details,
    `${it.quantity} ${it.unit ?? ''} × ${it.price.amount}`,
    it.discount && `-${it.discount}%`,
    it.tax && `${it.tax}%`,
    it.total.amount,
    it.optional && (it.chosen ? '✓' : '✗'),
  ]
    .filter(Boolean)
    .join(' · ')
