import { z } from 'zod'
import type { Pdf } from '../../src/crm/document.ts'
import { Addressee, Attachment, Line, Totals } from '../../src/crm/document.ts'
import { PayeeAccount } from '../../src/crm/payee.ts'
import type { TakesResponses } from '../../src/crm/response.ts'
import type { ListFilter } from '../../src/http/filter.ts'
import type { Page } from '../../src/http/paging.ts'
import { Money } from '../../src/platform/money.ts'

/**
 * `open` waits for an answer; `expired` was open until its date had passed. A draft is none of these: it is not there.
 */
export const statuses = ['open', 'accepted', 'declined', 'expired', 'withdrawn'] as const
export const sorts = ['urgent', 'newest', 'amount'] as const

/** In per cent of the total, as a decimal string; or an amount. */
export const DownPayment = z.union([
  z.strictObject({ percent: z.string().regex(/^\d{1,3}(\.\d+)?$/) }),
  z.strictObject({ amount: Money }),
])

export const Summary = z.object({
  id: z.string(),
  number: z.string(),
  title: z.string(),
  total: Money,
  /** `other` is a status that the map does not list. It is shown as `word`, and the document is read-only. */
  status: z.enum([...statuses, 'other']),
  word: z.string().optional(),
  sentOn: z.iso.date(),
  validUntil: z.iso.date().nullable(),
  respondedOn: z.iso.date().nullable(),
  /** Of the CRM's people. */
  owner: z.string().nullable(),
  /** What is to be paid on acceptance. Leave it out where nothing is, and where it was paid or invoiced in the CRM. */
  downPayment: DownPayment.optional(),
})
export type Summary = z.infer<typeof Summary>

export const Offer = Summary.extend({
  version: z.number().int(),
  to: Addressee,
  intro: z.string().nullable(),
  terms: z.string().nullable(),
  lines: z.array(Line),
  sums: Totals,
  /** In an order that stays. They are part of what is signed. */
  attachments: z.array(Attachment).optional(),
  respondedBy: z.string().nullable(),
  responseNote: z.string().nullable(),
  /** Where a down payment is transferred to. */
  account: PayeeAccount.nullable().optional(),
})
export type Offer = z.infer<typeof Offer>

/** `counts` stop at 1,000, where 1,001 means more, but for `open`, which is exact. `waiting` is what the open ones come to, in each currency. */
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
export interface Offers extends TakesResponses {
  /** A token that this port did not make gives the first page. */
  list(filter: Filter): Promise<Page<Summary>>
  overview(): Promise<Overview>
  /**
   * `counts` of what a search finds, each up to 1,000, where 1,001 means more. Without it the list shows no counts beside
   * a search.
   */
  counts?(search: string): Promise<Overview['counts']>
  /** Accepted offers with a down payment, the newest first. Without it, none can be paid here. */
  downPayments?(asked: { size: number; after?: string }): Promise<Page<Summary>>
  /** Throws NotFound, also for another client's documents and for drafts. */
  find(id: string): Promise<Offer>
  /**
   * The CRM's own PDF of this document, with its name without extension. Called after `find`. The bytes must stay the
   * same as long as the document does, because they are signed. Leave it out if the CRM prints new bytes each time.
   */
  pdf?(id: string): Promise<Pdf | undefined>
  /**
   * The bytes of one of its attachments. Asked after `find`, and bound like it; throws NotFound where they are not
   * there.
   */
  attachment?(id: string, attachment: string): Promise<Uint8Array>
}
