import { createHash } from 'node:crypto'
import { brandOf } from './cards.ts'
import { type Core, emit, newId, seconds } from './core.ts'
import { type Customer, idOf, type Mandate, type Method } from './objects.ts'

/** A card as the client typed it, checked. */
export interface CardInput {
  type: 'card'
  number: string
  month: number
  year: number
  name: string
}

export interface DebitInput {
  type: 'sepa_debit'
  iban: string
  name: string
}

/** Creates a payment method from what was typed. The number itself is kept only for how the bank behaves. */
export function createMethod(core: Core, input: CardInput | DebitInput, email: string | null): Method {
  const number = input.type === 'card' ? input.number : input.iban
  const method: Method = {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'limited',
    billing_details: { address: noAddress(), email, name: input.name, phone: null, tax_id: null },
    created: seconds(core),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: input.type,
    ...(input.type === 'card' ? { card: cardOf(input) } : { sepa_debit: debitOf(input) }),
  }
  core.state.methods[method.id] = method
  core.state.accounts[method.id] = { method: method.id, behaviour: number }
  core.store.changed()
  return method
}

export const noAddress = () => ({
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
})

const fingerprint = (number: string) => createHash('sha256').update(number).digest('base64url').slice(0, 16)

function cardOf({ number, month, year }: CardInput): NonNullable<Method['card']> {
  const brand = brandOf(number)
  return {
    brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    display_brand: brand,
    exp_month: month,
    exp_year: year,
    fingerprint: fingerprint(number),
    funding: 'credit',
    generated_from: null,
    last4: number.slice(-4),
    networks: { available: [brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  }
}

function debitOf({ iban }: DebitInput): NonNullable<Method['sepa_debit']> {
  return {
    bank_code: iban.slice(4, 12),
    branch_code: '',
    country: iban.slice(0, 2),
    fingerprint: fingerprint(iban),
    generated_from: { charge: null, setup_attempt: null },
    last4: iban.slice(-4),
  }
}

/** 'Visa ending in 4242' */
export function methodName({ card, sepa_debit }: Method): string {
  if (!card) return `Bank account ending in ${sepa_debit?.last4}`
  const brand = card.brand === 'amex' ? 'American Express' : card.brand[0]!.toUpperCase() + card.brand.slice(1)
  return `${brand} ending in ${card.last4}`
}

export function createMandate(core: Core, method: Method): Mandate {
  const id = newId('mandate')
  const reference = id.slice(-16).toUpperCase()
  const mandate: Mandate = {
    id,
    object: 'mandate',
    customer_acceptance: {
      accepted_at: seconds(core),
      online: { ip_address: '127.0.0.1', user_agent: null },
      type: 'online',
    },
    livemode: false,
    multi_use: {},
    payment_method: method.id,
    payment_method_details: {
      type: 'sepa_debit',
      sepa_debit: { reference, url: `${core.settings.address}/-/bank` },
    },
    status: 'active',
    type: 'multi_use',
  }
  core.state.mandates[id] = mandate
  return mandate
}

/** Keeps the method for the customer. `limited` methods are not shown again in a checkout. */
export function attach(core: Core, method: Method, customer: string, redisplay: 'always' | 'limited'): void {
  if (idOf(method.customer) === customer) return
  method.customer = customer
  method.allow_redisplay = redisplay
  emit(core, 'payment_method.attached', method)
}

/** Takes the method from its customer; it can never be attached again. */
export function detach(core: Core, method: Method): Method {
  const { customer } = method
  method.customer = null
  emit(core, 'payment_method.detached', method, { customer })
  return method
}

export interface CustomerInput {
  email?: string | null
  name?: string | null
  phone?: string | null
  description?: string | null
  metadata?: Record<string, string>
}

export function createCustomer(core: Core, { email, name, phone, description, metadata }: CustomerInput): Customer {
  const id = newId('cus', 14)
  const customer: Customer = {
    id,
    object: 'customer',
    address: null,
    balance: 0,
    created: seconds(core),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: description ?? null,
    discount: null,
    email: email ?? null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: metadata ?? {},
    name: name ?? null,
    next_invoice_sequence: 1,
    phone: phone ?? null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
  core.state.customers[id] = customer
  emit(core, 'customer.created', customer)
  return customer
}
