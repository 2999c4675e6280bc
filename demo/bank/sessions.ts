import { type Core, emit, newId, plan, seconds } from './core.ts'
import { ApiError, noSuch } from './errors.ts'
import { createSetup, find } from './intents.ts'
import type { Checkout, IntentData, Item, Session } from './objects.ts'

export interface NewSession {
  mode: 'payment' | 'setup'
  currency: string | null
  items: Item[]
  types: string[]
  customer: string | null
  customer_email: string | null
  customer_creation: 'always' | 'if_required' | null
  client_reference_id: string | null
  metadata: Record<string, string>
  intent: IntentData
  setup: Checkout['setup']
  saved: Session['saved_payment_method_options']
  locale: string | null
  submit_type: string | null
  expires_at: number
  success_url: string
  cancel_url: string | null
}

export function createSession(core: Core, input: NewSession): Session {
  const id = newId('cs_test', 58)
  const total = input.items.reduce((sum, item) => sum + item.amount_total, 0)
  const payment = input.mode === 'payment'
  const session: Session = {
    ...blank,
    id,
    amount_subtotal: payment ? total : null,
    amount_total: payment ? total : null,
    cancel_url: input.cancel_url,
    client_reference_id: input.client_reference_id,
    created: seconds(core),
    currency: input.currency,
    customer: input.customer,
    customer_creation: input.customer ? null : (input.customer_creation ?? 'if_required'),
    customer_details: knownDetails(core, input),
    customer_email: input.customer_email,
    expires_at: input.expires_at,
    locale: input.locale,
    metadata: input.metadata,
    mode: input.mode,
    payment_method_collection: payment ? 'if_required' : 'always',
    payment_method_types: input.types,
    payment_status: payment ? 'unpaid' : 'no_payment_required',
    saved_payment_method_options: input.saved,
    submit_type: input.submit_type,
    success_url: input.success_url,
    total_details: payment ? { amount_discount: 0, amount_shipping: 0, amount_tax: 0 } : null,
    url: `${core.settings.address}/-/bank/checkout/${id}`,
  }
  core.state.sessions[id] = session
  core.state.checkouts[id] = { session: id, items: input.items, intent: input.intent, setup: input.setup }
  if (input.mode === 'setup') session.setup_intent = createSetup(core, session, input.setup).id
  core.store.changed()
  plan(core, 'expire', id, input.expires_at * 1000 - core.now())
  return session
}

const blank = {
  object: 'checkout.session',
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  discounts: null,
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  managed_payments: null,
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_configuration_details: null,
  payment_method_options: {},
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  subscription: null,
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<Session>

function knownDetails(core: Core, { customer, customer_email }: NewSession): Session['customer_details'] {
  const known = find(core.state.customers, customer)
  const email = known?.email ?? customer_email
  return email ? details(email, known?.name ?? null) : null
}

const details = (email: string | null, name: string | null): NonNullable<Session['customer_details']> => ({
  address: null,
  business_name: null,
  email,
  individual_name: null,
  name,
  phone: null,
  tax_exempt: 'none',
  tax_ids: null,
})

/** The session is done: with `paid`, or with `unpaid` while a debit is under way. */
export function completeSession(core: Core, session: Session, payer: { email: string | null; name: string }): void {
  session.status = 'complete'
  session.url = null
  session.customer_details = details(payer.email, payer.name)
  emit(core, 'checkout.session.completed', session)
}

/** Ends an open session; a payment that was tried in it is cancelled. */
export function expireSession(core: Core, id: string): Session {
  const session = find(core.state.sessions, id)
  if (!session) throw noSuch('checkout.session', id, 'session')
  if (session.status !== 'open') {
    throw new ApiError(
      'Only Checkout Sessions with a status in ["open"] can be expired. ' +
        `This Checkout Session has a status of \`${session.status}\`.`,
    )
  }
  session.status = 'expired'
  session.url = null
  const intent = find(core.state.intents, session.payment_intent)
  if (intent) {
    intent.status = 'canceled'
    intent.canceled_at = seconds(core)
    intent.cancellation_reason = 'expired'
    intent.next_action = null
    emit(core, 'payment_intent.canceled', intent)
  }
  emit(core, 'checkout.session.expired', session)
  return session
}

/** The session in which a payment was made. */
export const sessionOf = (core: Core, intent: string): Session | undefined =>
  Object.values(core.state.sessions).find(session => session.payment_intent === intent)
