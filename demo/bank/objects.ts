import type Stripe from 'stripe'

/** Stripe's objects as its API answers them, nothing expanded. */
export type Session = Stripe.Checkout.Session
export type Intent = Stripe.PaymentIntent
export type Setup = Stripe.SetupIntent
export type Charge = Stripe.Charge
export type Refund = Stripe.Refund
export type Dispute = Stripe.Dispute
export type Method = Stripe.PaymentMethod
export type Customer = Stripe.Customer
export type Mandate = Stripe.Mandate
export type Transaction = Stripe.BalanceTransaction
export type Endpoint = Stripe.WebhookEndpoint & { secret: string }
/** A line, whose price has its decimal amount as text. */
export type Item = Omit<Stripe.LineItem, 'price'> & { price: Price }
type Price = Omit<Stripe.Price, 'unit_amount_decimal'> & { unit_amount_decimal: string }

export interface BankEvent {
  id: string
  object: 'event'
  api_version: string
  created: number
  data: { object: object; previous_attributes?: object }
  livemode: false
  pending_webhooks: number
  request: { id: string | null; idempotency_key: string | null }
  type: string
}

/** What a checkout session keeps beside what the API shows of it. */
export interface Checkout {
  session: string
  items: Item[]
  intent: IntentData
  setup: { description?: string; metadata?: Record<string, string> }
  /** What went wrong with the last attempt, for the client to read. */
  problem?: string
  /** The method that waits for a 3-D Secure confirmation. */
  confirming?: { method: string; save: boolean }
}

export interface IntentData {
  description?: string
  metadata?: Record<string, string>
  receipt_email?: string
  setup_future_usage?: 'off_session' | 'on_session'
  statement_descriptor?: string
  statement_descriptor_suffix?: string
  capture_method?: 'automatic' | 'automatic_async'
}

/** A card or account as the bank behaves with it; never answered by the API. */
export interface Account {
  method: string
  behaviour: string
}

/** An event on its way to an endpoint. */
export interface Delivery {
  id: string
  event: string
  endpoint: string
  /** Tries so far. */
  tries: number
  /** When the next try is due, in milliseconds. */
  due: number
}

/** What happens on its own later. */
export interface Task {
  at: number
  kind: 'settle' | 'fail' | 'dispute' | 'expire' | 'capture' | 'refund' | 'refund-fail'
  id: string
}

/** The answer that a request with an Idempotency-Key got. */
export interface Answered {
  endpoint: string
  params: string
  at: number
  status: number
  body: string
  request: string
}

export type Id = string | { id: string } | null | undefined

/** The id of a reference, expanded or not. */
export const idOf = (reference: Id): string | undefined =>
  typeof reference === 'string' ? reference : (reference?.id ?? undefined)
