import { Conflict } from '../http/errors.ts'
import type { Money } from '../platform/money.ts'

/** A payment that arrived through the portal, for the CRM's books. */
export interface ReceivedPayment {
  /** Of this payment alone. */
  key: string
  /** The plain date on which it arrived, at the workspace. */
  on: string
  /** What the shares come to. */
  amount: Money
  /** What was charged on top of it; null where nothing was. */
  fee: Money | null
  method: 'card' | 'direct debit' | 'ideal' | 'bank transfer' | 'other'
  /** The provider's id, as its dashboard and payouts have it. */
  reference: string
  /** Name of the person who paid. */
  payer: string
  /** How it is divided: `section` is the name of the document's plugin. */
  shares: { section: string; id: string; number: string; amount: Money }[]
}

/** The part of the port `payments` that takes payments. Without it, staff enter them in the CRM themselves. */
export interface TakesPayments {
  /**
   * Books a payment in the transaction of `connect` where that is in the same database. The same payment a second time,
   * by its `key`, changes nothing. Throws Conflict where it does not fit what is open, and NotFound for a document that
   * is there no more: staff then decide.
   */
  record?(payment: ReceivedPayment): Promise<void>
}

/** Why a payment cannot be booked. */
export const refusals = {
  section: 'Only payments of invoices can be entered in the CRM.',
  missing: 'This invoice no longer exists.',
  cancelled: 'This invoice was cancelled.',
  paid: 'This invoice is already paid.',
  closed: 'This invoice isn’t open.',
  currency: 'This invoice is in another currency.',
  amount: 'This is more than what is open.',
  method: 'This way to pay isn’t set up in the CRM.',
} as const

/** A Conflict that says why: one of `refusals`, or in the CRM's own words. Staff are shown it. */
export class Refusal extends Conflict {
  constructor(reason: string) {
    super()
    this.message = reason
  }
}
