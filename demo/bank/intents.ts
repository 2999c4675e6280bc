import { type Core, emit, newId, seconds } from './core.ts'
import { type Checkout, type Id, type Intent, idOf, type Session, type Setup } from './objects.ts'

/** The payment of a session: Stripe creates it when the client first tries to pay, not with the session. */
export function intentOf(core: Core, session: Session, checkout: Checkout): Intent {
  const known = find(core.state.intents, session.payment_intent)
  if (known) return known
  const intent = newIntent(core, session, checkout.intent)
  core.state.intents[intent.id] = intent
  session.payment_intent = intent.id
  emit(core, 'payment_intent.created', intent)
  return intent
}

function newIntent(core: Core, session: Session, data: Checkout['intent']): Intent {
  const id = newId('pi')
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: session.amount_total ?? 0,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: data.capture_method ?? 'automatic_async',
    client_secret: newId(`${id}_secret`),
    confirmation_method: 'automatic',
    created: seconds(core),
    currency: session.currency ?? core.settings.currency,
    customer: idOf(session.customer) ?? null,
    customer_account: null,
    description: data.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: data.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: session.payment_method_types,
    payment_record: null,
    processing: null,
    receipt_email: data.receipt_email ?? null,
    review: null,
    setup_future_usage: data.setup_future_usage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: data.statement_descriptor ?? null,
    statement_descriptor_suffix: data.statement_descriptor_suffix ?? null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  }
}

/** Saves a method without a payment; created with the session. */
export function createSetup(core: Core, session: Session, data: Checkout['setup']): Setup {
  const id = newId('seti')
  const setup: Setup = {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: newId(`${id}_secret`),
    created: seconds(core),
    customer: idOf(session.customer) ?? null,
    customer_account: null,
    description: data.description ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: null,
    mandate: null,
    metadata: data.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: session.payment_method_types,
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: 'off_session',
  }
  core.state.setups[id] = setup
  emit(core, 'setup_intent.created', setup)
  return setup
}

/** The object that a reference names, if it is there. */
export function find<T>(table: Record<string, T>, reference: Id): T | undefined {
  const id = idOf(reference)
  return id !== undefined && Object.hasOwn(table, id) ? table[id] : undefined
}
