import { z } from 'zod'
import { Addressee, Line, Sums } from '../document.ts'
import type { ListFilter } from '../filter.ts'
import { Money } from '../money.ts'
import type { Page } from '../page.ts'
import type { Pdf } from '../pdf/print.ts'

/** `open` waits for an answer; `expired` was open until its date had passed. A draft is none of these: it is not there. */
export const statuses = ['open', 'accepted', 'declined', 'expired', 'withdrawn'] as const
export const sorts = ['urgent', 'newest', 'amount'] as const

export const Summary = z.object({
  id: z.string(),
  number: z.string(),
  title: z.string(),
  total: Money,
  /** `other` is what the CRM calls by a word that nobody mapped: it is shown by that `word`, and nothing can be done with it. */
  status: z.enum([...statuses, 'other']),
  word: z.string().optional(),
  sentOn: z.iso.date(),
  validUntil: z.iso.date().nullable(),
  answeredOn: z.iso.date().nullable(),
  /** Of the CRM's people. */
  owner: z.string().nullable(),
})
export type Summary = z.infer<typeof Summary>

export const Offer = Summary.extend({
  version: z.number().int(),
  to: Addressee,
  intro: z.string().nullable(),
  terms: z.string().nullable(),
  lines: z.array(Line),
  sums: Sums,
  answeredBy: z.string().nullable(),
  answerNote: z.string().nullable(),
})
export type Offer = z.infer<typeof Offer>

/** `counts` stop at 1,000; 1,001 means more. `waiting` is what the open ones come to, in each currency. */
export const Overview = z.object({
  counts: z.object({
    all: z.number(),
    open: z.number(),
    accepted: z.number(),
    declined: z.number(),
    expired: z.number(),
  }),
  waiting: z.array(Money),
})
export type Overview = z.infer<typeof Overview>

/** Urgent: the open ones by the end of their validity, then the others, newest first. */
type Filter = ListFilter<(typeof statuses)[number], (typeof sorts)[number]>

/** What proposals and quotations alike ask of a CRM, on behalf of one customer to whom it is already bound. */
export interface Offers {
  /** A token that this port did not make gives the first page. */
  list(filter: Filter): Promise<Page<Summary>>
  overview(): Promise<Overview>
  /** Throws NotFound, for somebody else's and for drafts too. */
  find(id: string): Promise<Offer>
  /** The CRM's own PDF, where it makes one; the name without its ending. Asked after `find`. */
  pdf?(id: string): Promise<Pdf>
}
