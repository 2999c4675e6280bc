import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import { Money } from '../../src/platform/money.ts'
import { dueOnAcceptance } from './down-payment.ts'
import { Offer } from './port.ts'

/** Of an offer what a client says yes to: all that is shown, without how it stands. */
export const Content = Offer.omit({
  status: true,
  word: true,
  respondedOn: true,
  respondedBy: true,
  responseNote: true,
  account: true,
}).extend({
  /** What the down payment comes to. */
  dueOnAcceptance: Money.optional(),
})
export type Content = z.infer<typeof Content>

/** Of a signed document as much as a list knows of it. */
export type SignedSummary = Pick<Content, (typeof summarized)[number]>
export const summarized = ['number', 'title', 'total', 'validUntil'] as const

export function contentOf(offer: Offer): Content {
  const { status, word, respondedOn, respondedBy, responseNote, account, ...content } = offer
  const due = dueOnAcceptance(offer)
  return due ? { ...content, dueOnAcceptance: due } : content
}

/** As it was offered, so that it can be shown and printed once more. */
export const offerOf = ({ dueOnAcceptance: _, ...content }: Content, status: Offer['status']): Offer => ({
  ...content,
  status,
  respondedOn: null,
  respondedBy: null,
  responseNote: null,
})

export const Difference = z.object({
  what: z.enum([
    'number',
    'version',
    'title',
    'validUntil',
    'intro',
    'terms',
    'total',
    'dueOnAcceptance',
    'attachments',
    'line',
  ]),
  /** Of the line. */
  of: z.string().optional(),
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type Difference = z.infer<typeof Difference>

/** What is other than the last time that a client looked at it. */
export const Since = z.object({
  version: z.int(),
  /** When that was looked at first. */
  at: z.iso.datetime({ offset: true }),
  changes: z.array(Difference),
})
export type Since = z.infer<typeof Since>

/** Null if nothing changed, or if an earlier release stored the content in another shape. */
export function since(
  before: { version: number; at: string; content: unknown } | undefined,
  now: Content,
  context: RequestContext,
): Since | null {
  const kept = Content.safeParse(before?.content).data
  const changes = kept ? differences(kept, now, context) : []
  return before && changes.length ? { version: before.version, at: before.at, changes } : null
}

/**
 * Lists what changed in the document since. Names of people and addresses are not compared. Amounts are formatted by
 * `money`; for a line, only what differs is listed.
 */
export function differences(
  before: Content,
  now: Content,
  { day, money }: Pick<RequestContext, 'day' | 'money'>,
): Difference[] {
  const facts = ({ number, version, title, validUntil, intro, terms, total, ...rest }: Content) => ({
    ...{ number, version: String(version), title, validUntil: validUntil && day(validUntil), intro, terms },
    total: money(total),
    // One that is asked for no more was paid or invoiced.
    dueOnAcceptance: rest.dueOnAcceptance && now.dueOnAcceptance ? money(rest.dueOnAcceptance) : null,
    attachments: rest.attachments?.map(it => it.name).join(', ') || null,
  })
  const [was, is] = [facts(before), facts(now)]
  const plain = (Object.keys(was) as (keyof typeof was)[]).flatMap(what =>
    was[what] === is[what] ? [] : [{ what, before: was[what], after: is[what] }],
  )
  const longer = Math.max(before.lines.length, now.lines.length)
  const lines = Array.from({ length: longer }, (_, at) => [before.lines[at], now.lines[at]] as const).flatMap(
    ([was, is]): Difference[] => {
      const [old, young] = [said(was, money), said(is, money)]
      const differing = (its: string[], others: string[]) =>
        its.filter((it, at) => it && it !== others[at]).join(' · ') || null
      if (old.join() === young.join()) return []
      const of = (was ?? is)?.title
      return [{ what: 'line', of, before: differing(old, young), after: differing(young, old) }]
    },
  )
  return [...plain, ...lines]
}

const said = (it: Content['lines'][number] | undefined, money: RequestContext['money']): string[] =>
  it
    ? [
        it.group ?? '',
        it.title,
        it.details ?? '',
        `${it.quantity} ${it.unit ?? ''} × ${money(it.price)}`,
        it.discount ? `-${it.discount}%` : '',
        it.tax ? `${it.tax}%` : '',
        money(it.total),
        it.optional ? (it.chosen ? '✓' : '✗') : '',
      ]
    : []
