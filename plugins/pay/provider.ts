import type { Money } from '../../src/platform/money.ts'
import type { WebhookCall } from '../../src/plugin/parts.ts'

/**
 * A service that takes payments. What it tells in a webhook, on return or in its list of events is only a reason to
 * `read` a payment: what it answers then is what counts, however late, often or out of order it told.
 */
export interface PaymentProvider {
  /** One word, as payments keep it. */
  name: string
  /** As people know it. */
  title: string
  /** Checks an access before it is saved. Throws Refused with a sentence. */
  check(access: Access): Promise<Account>
  /**
   * Has the provider call this address when a payment changes, instead of any earlier one, and gives the secret of its
   * signatures. Undefined where it cannot reach the address: payments are then asked for from time to time.
   */
  listen(access: Access, address: string): Promise<string | undefined>
  /**
   * Begins a payment and gives the address where the client pays. The same request again gives the same payment. Throws
   * Unavailable where it does not answer.
   */
  start(access: Access, request: StartRequest): Promise<Started>
  /** A payment as it is now, by the session that `start` gave. Throws Unavailable. */
  read(access: Access, session: string): Promise<ProviderPayment>
  /** Ends a payment that nobody has finished. It may have been paid meanwhile: read it afterwards. */
  cancel(access: Access, session: string): Promise<void>
  /** Pays back. The same `key` again pays nothing more. Throws Refused with a sentence, or Unavailable. */
  refund(access: Access, request: RefundRequest): Promise<{ id: string }>
  /** Which payments a webhook is about; undefined where its signature is none of this provider's, or too old. */
  verify(access: Access, call: WebhookCall, now: Date): Promise<Hint[] | undefined>
  /** Which payments anything was told of since a moment. Throws Unavailable. */
  eventsSince(access: Access, since: Date): Promise<Hint[]>
}

/** What a workspace entered to use the provider: secrets. */
export interface Access {
  key: string
  webhookSecret?: string
}

/** Whose account it is. */
interface Account {
  id: string
  name: string
  /** Whether real money moves. */
  live: boolean
}

/** A payment that changed, by what the provider calls it. */
export interface Hint {
  /** The id that `start` was given. */
  id?: string
  session?: string
  charge?: string
}

export interface StartRequest {
  /** The id of the payment here, which the provider keeps with it. */
  id: string
  workspace: string
  /** When it was started, which does not change when it is asked for again. */
  at: Date
  currency: string
  shares: { name: string; description: string; amount: string }[]
  /** What is charged on top; '0' for nothing. */
  fee: { name: string; amount: string }
  /** Stands on the account of who pays, where the provider allows it. */
  reference: string
  payer: { email: string | undefined; customer?: string }
  /** Whether to offer to keep the card for the next time. */
  keepMethod: boolean
  language: string
  /** Addresses of ours, after it was paid and where it was not. */
  returnTo: string
  cancelTo: string
}

interface Started {
  session: string
  address: string
  customer?: string
}

export interface ProviderPayment {
  state: 'open' | 'processing' | 'paid' | 'failed' | 'expired'
  /** The provider's id of the money itself. */
  charge?: string
  method?: 'card' | 'direct debit' | 'ideal' | 'bank transfer' | 'other'
  /** What was charged, with the fee. */
  charged?: Money
  /** A reason in the provider's words, one of `failures`, or neither. */
  failure?: string
  /** What went back, in all. */
  refunded?: string
  dispute?: 'open' | 'won' | 'lost'
  customer?: string
}

interface RefundRequest {
  /** Of this refund alone. */
  key: string
  charge: string
  amount: Money
}

/** The provider says no, in a sentence that staff can act on. */
export class Refused extends Error {}

/** The provider does not answer, or answers that it cannot now. */
export class Unavailable extends Error {}
