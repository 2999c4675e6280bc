import type { Decline } from './cards.ts'
import { type Core, emit, newId, plan, seconds } from './core.ts'
import { find } from './intents.ts'
import { noAddress } from './methods.ts'
import { feeOf } from './money.ts'
import { type Charge, type Intent, idOf, type Mandate, type Method, type Transaction } from './objects.ts'

interface Parts {
  intent: Intent
  method: Method
  mandate?: Mandate
  confirmed?: boolean
}

/** The attempt to collect a payment. It begins pending; `succeed` or `decline` ends it. */
export function createCharge(core: Core, { intent, method, mandate, confirmed }: Parts): Charge {
  const charge: Charge = {
    id: newId(method.type === 'card' ? 'ch' : 'py'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: { ...method.billing_details, address: noAddress() },
    calculated_statement_descriptor: descriptor(core, intent),
    captured: false,
    created: seconds(core),
    currency: intent.currency,
    customer: idOf(intent.customer) ?? null,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: outcome('authorized', null, 'Payment complete.'),
    paid: false,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: methodDetails(method, intent.amount, mandate, confirmed),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: 'pending',
    transfer_data: null,
    transfer_group: null,
  }
  core.state.charges[charge.id] = charge
  intent.latest_charge = charge.id
  core.store.changed()
  return charge
}

function descriptor(core: Core, { statement_descriptor, statement_descriptor_suffix: suffix }: Intent): string {
  const name = statement_descriptor ?? core.settings.merchant.toUpperCase()
  return (suffix ? `${name.slice(0, 10)}* ${suffix}` : name).slice(0, 22)
}

const outcome = (type: string, reason: string | null, seller_message: string) => ({
  advice_code: null,
  network_advice_code: null,
  network_decline_code: type === 'issuer_declined' ? '05' : null,
  network_status: type === 'issuer_declined' ? 'declined_by_network' : 'approved_by_network',
  reason,
  risk_level: 'normal',
  risk_score: 12,
  seller_message,
  type,
})

type Details = NonNullable<Charge['payment_method_details']>

function methodDetails(method: Method, amount: number, mandate?: Mandate, confirmed?: boolean): Details {
  if (method.card) return { type: 'card', card: cardDetails(method.card, amount, confirmed) }
  const { bank_code = null, branch_code = null, country = null, fingerprint = null } = method.sepa_debit ?? {}
  const last4 = method.sepa_debit?.last4 ?? null
  const sepa_debit = { bank_code, branch_code, country, fingerprint, last4, mandate: mandate?.id ?? null }
  return { type: 'sepa_debit', sepa_debit }
}

function cardDetails(
  card: NonNullable<Method['card']>,
  amount: number,
  confirmed = false,
): NonNullable<Details['card']> {
  return {
    amount_authorized: amount,
    authorization_code: null,
    brand: card.brand,
    checks: card.checks,
    country: card.country,
    electronic_commerce_indicator: confirmed ? '05' : null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint ?? null,
    funding: card.funding,
    installments: null,
    last4: card.last4,
    mandate: null,
    network: card.brand,
    network_transaction_id: null,
    regulated_status: card.regulated_status,
    three_d_secure: confirmed ? threeDSecure : null,
    transaction_link_id: null,
    wallet: null,
  }
}

const threeDSecure: NonNullable<NonNullable<Details['card']>['three_d_secure']> = {
  authentication_flow: 'challenge',
  electronic_commerce_indicator: '05',
  exemption_indicator: null,
  result: 'authenticated',
  result_reason: null,
  transaction_id: null,
  version: '2.2.0',
}

/** The money is there: charge and payment have succeeded. The balance transaction follows on its own. */
export function succeed(core: Core, intent: Intent, charge: Charge): void {
  charge.status = 'succeeded'
  charge.paid = true
  charge.captured = true
  charge.amount_captured = charge.amount
  charge.receipt_url = `${core.settings.address}/-/bank/receipt/${charge.id}`
  intent.status = 'succeeded'
  intent.amount_received = intent.amount
  intent.next_action = null
  intent.processing = null
  intent.last_payment_error = null
  if (intent.capture_method === 'automatic') charge.balance_transaction = chargeTransaction(core, charge).id
  emit(core, 'charge.succeeded', charge)
  emit(core, 'payment_intent.succeeded', intent)
  if (intent.capture_method !== 'automatic') plan(core, 'capture', charge.id, core.settings.captureAfter)
}

/** Asynchronous capture: the fee is known a moment after the payment. */
export function capture(core: Core, id: string): void {
  const charge = find(core.state.charges, id)
  if (!charge || charge.balance_transaction) return
  charge.balance_transaction = chargeTransaction(core, charge).id
  emit(core, 'charge.updated', charge, { balance_transaction: null })
}

/** The bank of the client has refused, at once or after days: the payment needs another method. */
export function decline(core: Core, intent: Intent, charge: Charge, decline: Decline): void {
  const method = find(core.state.methods, charge.payment_method)
  charge.status = 'failed'
  charge.failure_code = decline.code
  charge.failure_message = decline.message
  charge.outcome = outcome('issuer_declined', decline.decline_code ?? decline.code, decline.message)
  refuse(intent, { ...decline, charge: charge.id }, method)
  emit(core, 'charge.failed', charge)
  emit(core, 'payment_intent.payment_failed', intent)
}

/** Leaves the payment without a method and with the error of the last attempt. */
export function refuse(intent: Intent, decline: Decline & { charge?: string }, method: Method | undefined): void {
  const { code, decline_code, message, charge } = decline
  intent.status = 'requires_payment_method'
  intent.payment_method = null
  intent.next_action = null
  intent.processing = null
  intent.last_payment_error = {
    ...(charge && { charge }),
    code,
    ...(decline_code && { decline_code }),
    doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`,
    message,
    ...(method && { payment_method: method }),
    type: code === 'payment_intent_authentication_failure' ? 'invalid_request_error' : 'card_error',
  }
}

function chargeTransaction(core: Core, charge: Charge): Transaction {
  const type = charge.payment_method_details?.type === 'card' ? 'card' : 'sepa_debit'
  const fee = feeOf(charge.amount, charge.currency, type)
  return createTransaction(core, {
    type: type === 'card' ? 'charge' : 'payment',
    category: 'charge',
    amount: charge.amount,
    fee,
    currency: charge.currency,
    source: charge.id,
    description: charge.description,
  })
}

interface Movement {
  type: Transaction['type']
  category: string
  amount: number
  fee: number
  currency: string
  source: string
  description: string | null
}

/** What moves on the merchant's balance. */
export function createTransaction(core: Core, movement: Movement): Transaction {
  const { type, category, amount, fee, currency, source, description } = movement
  const created = seconds(core)
  const available = created + (amount > 0 ? 2 * 24 * 3600 : 0)
  const detail = { amount: fee, application: null, currency, description: 'Stripe processing fees', type: 'stripe_fee' }
  const transaction: Transaction = {
    id: newId('txn'),
    object: 'balance_transaction',
    amount,
    available_on: available,
    balance_type: 'payments',
    created,
    currency,
    description,
    exchange_rate: null,
    fee,
    fee_details: fee ? [detail] : [],
    net: amount - fee,
    reporting_category: category,
    source,
    status: available > created ? 'pending' : 'available',
    type,
  }
  core.state.transactions[transaction.id] = transaction
  core.store.changed()
  return transaction
}
