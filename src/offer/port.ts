import { z } from 'zod'
import { Addressee, Attachment, Line, Sums } from '../document.ts'
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
  /** In an order that stays. They are part of what is signed. */
  attachments: z.array(Attachment).optional(),
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
  /**
   * Takes an answer where it is still open, not expired and of this version, in the transaction of `connect` where that is
   * in the same database. Throws Conflict where it is not; the same answer, by its `key` or all that it says, a second
   * time is no conflict. Not there: nothing can be answered.
   */
  answer?(id: string, answer: Answer): Promise<void>
  /** Whether an answer's lines may also be such as were no option, and are left out: they become one that is not chosen. */
  parts?: boolean
  /** The same where the CRM is told by other ways than its tables, and so after the evidence is kept. */
  passOn?(id: string, answer: Answer): Promise<void>
  /**
   * The CRM's own PDF, where it has one of this; the name without its ending. Asked after `find`, and bound like it. As long
   * as the document is the same, so are the bytes: what is signed is what was shown. A CRM that prints anew each time has none.
   */
  pdf?(id: string): Promise<Pdf | undefined>
  /** The bytes of one of its attachments. Asked after `find`, and bound like it; throws NotFound where they are not there. */
  attachment?(id: string, attachment: string): Promise<Uint8Array>
}

/** What a client said to an offer. */
export interface Answer {
  /** Of this answer alone. */
  key: string
  act: 'accepted' | 'declined'
  version: number
  at: Date
  /** The plain date it is at the workspace. */
  on: string
  by: { name: string; email: string; contact: string | null }
  reason: string | null
  /** As the client counts its orders. */
  orderNumber: string | null
  /** A plain date. */
  wishedOn: string | null
  /** The optional lines, also those that are by this answer, and what all comes to, where it is other than the CRM had it. */
  choice: { lines: Pick<Line, 'id' | 'chosen' | 'quantity' | 'total'>[]; sums: Sums } | null
}
