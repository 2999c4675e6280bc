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
