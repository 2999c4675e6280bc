import { z } from 'zod'
import type { Pdf } from '../../src/crm/document.ts'
import { Addressee, Line, Totals } from '../../src/crm/document.ts'
import { PayeeAccount } from '../../src/crm/payee.ts'
import type { ListFilter } from '../../src/http/filter.ts'
import type { Page } from '../../src/http/paging.ts'
import { Money } from '../../src/platform/money.ts'

/** `open` and `overdue` have something left to pay; `overdue` since its due date has passed at the workspace. */
export const statuses = ['open', 'overdue', 'paid', 'cancelled'] as const
export const sorts = ['urgent', 'newest', 'amount'] as const

export const Summary = z.object({
  id: z.string(),
  number: z.string(),
  title: z.string(),
  total: Money,
  /** What is left to pay. */
  balance: Money,
  /** `other` is a status that the map does not list. It is shown as `word`, and the document is read-only. */
  status: z.enum([...statuses, 'other']),
  word: z.string().optional(),
  sentOn: z.iso.date(),
  dueOn: z.iso.date(),
})
export type Summary = z.infer<typeof Summary>

export const Invoice = Summary.extend({
  /** The client's own order number. */
  orderNumber: z.string().nullable(),
  to: Addressee,
  /** From its date until it is due, where that was agreed. */
  termDays: z.number().int().nullable(),
  /** Null where the CRM names none. */
  account: PayeeAccount.nullable(),
  remarks: z.string().nullable(),
  lines: z.array(Line),
  sums: Totals,
  remindedOn: z.iso.date().nullable(),
  payments: z.array(
    z.object({
      /** Of the section of payments. */ id: z.string(),
      on: z.iso.date(),
      amount: Money,
      method: z.string(),
      payer: z.string().nullable(),
    }),
  ),
  creditNotes: z.array(z.object({ number: z.string(), on: z.iso.date(), reason: z.string(), amount: Money })),
  /** What settled it besides: a discount for early payment, a remainder that was written off. */
  adjustment: Money.nullable().optional(),
})
export type Invoice = z.infer<typeof Invoice>

/** Days past due: not yet, up to 30, 60, 90, more. */
const ages = ['current', '1-30', '31-60', '61-90', 'over-90'] as const

/**
 * Of the whole company, each amount in its own currency. `open` and `overdue` are exact; the other counts stop at 1,000,
 * where 1,001 means more.
 */
export const Overview = z.object({
  counts: z.object({ all: z.number(), open: z.number(), overdue: z.number(), paid: z.number() }),
  /** Less what was paid too much, and credit notes that are still open. */
  due: z.array(Money),
  overdue: z.array(Money),
  oldestDueOn: z.iso.date().nullable(),
  /** Credit that can be used for the next invoice, where the CRM keeps it apart. It is not taken off `due`. */
  credit: z.array(Money).optional(),
  ageing: z.array(z.object({ age: z.enum(ages), amounts: z.array(Money) })),
  /** What was invoiced, and what was paid, since each of the dates that were asked for. */
  periods: z.array(z.object({ since: z.iso.date(), invoiced: z.array(Money), paid: z.array(Money) })),
  /** The same for each month (`2026-11`) and currency that has any of it, the earliest first. */
  months: z.array(z.object({ month: z.string().regex(/^\d{4}-\d\d$/), invoiced: Money, paid: Money })),
})
export type Overview = z.infer<typeof Overview>

/** Of one currency: what was open before, what came and went in a period, day by day, and what is open after it. */
export const Statement = z.object({
  opening: Money,
  entries: z.array(
    z.object({
      on: z.iso.date(),
      /** An adjustment settles a document otherwise: a discount for early payment, a remainder that was written off. */
      kind: z.enum(['invoice', 'payment', 'credit note', 'adjustment']),
      number: z.string(),
      /** Of the invoice that it is, or is about. */
      invoice: z.object({ id: z.string(), number: z.string(), title: z.string() }),
      /** What it adds to what is open; less than zero for a payment or credit note. */
      amount: Money,
      /** What is open after it. */
      balance: Money,
    }),
  ),
  closing: Money,
})
export type Statement = z.infer<typeof Statement>

/** `open` includes the overdue ones. Urgent: what is to pay by its due date, then the others, newest first. */
type Filter = ListFilter<(typeof statuses)[number], (typeof sorts)[number]>

/** What this section asks of a CRM, on behalf of one customer to whom it is already bound. */
export interface Invoices {
  /** A token that this port did not make gives the first page. */
  list(filter: Filter): Promise<Page<Summary>>
  /** Plain dates: of the periods, and from when on to tell the months. Not asked for, there are none. */
  overview(asked?: { since: string[]; monthsFrom: string }): Promise<Overview>
  /**
   * `counts` of what a search finds, each up to 1,000, where 1,001 means more. Without it the list shows no counts beside
   * a search.
   */
  counts?(search: string): Promise<Overview['counts']>
  /**
   * One for each currency that has anything to tell, for a period of plain dates, both within it. Throws TooMany where
   * it has more than 10,000 entries.
   */
  statement(from: string, until: string): Promise<Statement[]>
  /** Throws NotFound, also for another client's documents and for drafts. */
  find(id: string): Promise<Invoice>
  /**
   * The CRM's own PDF of this document, with its name without extension. Called after `find`. The bytes must stay the
   * same as long as the document does, because they are signed. Leave it out if the CRM prints new bytes each time.
   */
  pdf?(id: string): Promise<Pdf | undefined>
}

declare global {
  namespace Portico {
    interface Ports {
      invoices: Invoices
    }
  }
}
