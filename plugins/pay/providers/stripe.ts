import Big from 'big.js'
import Stripe from 'stripe'
import { decimalsOf, type Money } from '../../../src/platform/money.ts'
import {
  type Access,
  type Hint,
  type PaymentProvider,
  type ProviderPayment,
  Refused,
  type StartRequest,
  Unavailable,
} from '../provider.ts'

/** Stripe keeps a session open for this long. It allows half an hour to a day. */
const openFor = 60 * 60
/** Seconds that a webhook's signature is good for. */
const tolerance = 300
/** Of one request to Stripe. */
const patience = 15_000

/** Stripe Checkout: the client pays on Stripe's own page, and no card number comes near the portal. */
export const stripe: PaymentProvider = {
  name: 'stripe',
  title: 'Stripe',

  async check(access) {
    if (!/^(sk|rk)_(test|live)_\w{5,}$/.test(access.key))
      throw new Refused('Enter the secret key: it begins with sk_ or rk_.')
    const account = await asked(() => clientOf(access).accounts.retrieveCurrent())
    const name = account.settings?.dashboard.display_name || account.business_profile?.name || account.id
    return { id: account.id, name, live: /^.._live_/.test(access.key) }
  },

  async listen(access, url) {
    const { webhookEndpoints } = clientOf(access)
    // Stripe reaches only what is public, by TLS.
    if (!apiAddress() && !url.startsWith('https://')) return undefined
    const { data } = await asked(() => webhookEndpoints.list({ limit: 100 }))
    for (const it of data) if (it.url === url) await asked(() => webhookEndpoints.del(it.id))
    const made = await asked(() => webhookEndpoints.create({ url, enabled_events: [...told] }))
    return made.secret
  },

  async start(access, request) {
    const client = clientOf(access)
    const created = await asked(() =>
      client.checkout.sessions.create(sessionOf(request), { idempotencyKey: `portico-start-${request.id}` }),
    )
    if (!created.url) throw new Unavailable('Stripe gave no address to pay at.')
    return { session: created.id, address: created.url, customer: idOf(created.customer) }
  },

  async read(access, session) {
    const client = clientOf(access)
    const found = await asked(() =>
      client.checkout.sessions.retrieve(session, { expand: ['payment_intent.latest_charge'] }),
    )
    return stateOf(client, found)
  },

  async cancel(access, session) {
    await asked(() => clientOf(access).checkout.sessions.expire(session)).catch(error => {
      // One that is complete or expired already cannot be ended.
      if (!(error instanceof Refused)) throw error
    })
  },

  async refund(access, { key, charge, amount }) {
    const { id } = await asked(() =>
      clientOf(access).refunds.create(
        { payment_intent: charge, amount: toMinor(amount), metadata: { portico_refund: key } },
        { idempotencyKey: `portico-refund-${key}` },
      ),
    )
    return { id }
  },

  async verify(access, { body, headers }, now) {
    const signature = headers['stripe-signature']
    if (!access.webhookSecret || typeof signature !== 'string') return undefined
    try {
      const { webhooks } = clientOf(access)
      return hintsOf(
        webhooks.constructEvent(body, signature, access.webhookSecret, tolerance, undefined, now.getTime()),
      )
    } catch {
      return undefined
    }
  },

  async eventsSince(access, since) {
    const hints: Hint[] = []
    const all = clientOf(access).events.list({
      created: { gte: Math.floor(since.getTime() / 1000) },
      limit: 100,
      types: [...told],
    })
    await asked(() => all.autoPagingEach(event => void hints.push(...hintsOf(event))))
    return hints
  },
}

/** What of Stripe's events can change a payment of ours. */
const told = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'charge.refunded',
  'charge.refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.closed',
] as const

/** The address of Stripe's API, if it is not Stripe's own: a double of it, in the demo and in tests. */
const apiAddress = () => process.env.PORTAL_STRIPE_ADDRESS

function clientOf({ key }: Access): Stripe {
  const address = apiAddress()
  const own = address ? new URL(address) : undefined
  return new Stripe(key, {
    maxNetworkRetries: 1,
    timeout: patience,
    telemetry: false,
    ...(own && {
      host: own.hostname,
      port: own.port,
      protocol: own.protocol === 'http:' ? ('http' as const) : ('https' as const),
    }),
  })
}

/** Stripe's errors as ours: a no, or no answer. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Stripe.errors.StripeAuthenticationError)
      throw new Refused('Stripe doesn’t know this key. Copy it again from Stripe, under Developers, API keys.')
    if (error instanceof Stripe.errors.StripePermissionError)
      throw new Refused('This key may not do that. Allow it Checkout Sessions, Refunds, Events and Webhook Endpoints.')
    if (error instanceof Stripe.errors.StripeInvalidRequestError) throw new Refused(error.message)
    throw new Unavailable(error instanceof Error ? error.message : String(error))
  }
}

function sessionOf(it: StartRequest): Stripe.Checkout.SessionCreateParams {
  const metadata = { portico_payment: it.id, portico_workspace: it.workspace }
  const lines = it.fee.amount === '0' ? it.shares : [...it.shares, { ...it.fee, description: '' }]
  return {
    mode: 'payment',
    client_reference_id: it.id,
    metadata,
    payment_intent_data: { metadata, description: it.reference },
    line_items: lines.map(({ name, description, amount }) => ({
      quantity: 1,
      price_data: {
        currency: it.currency.toLowerCase(),
        unit_amount: toMinor({ amount, currency: it.currency }),
        product_data: { name: name.slice(0, 250), ...(description && { description: description.slice(0, 250) }) },
      },
    })),
    ...(it.payer.customer
      ? { customer: it.payer.customer }
      : { customer_email: it.payer.email, ...(it.keepMethod && { customer_creation: 'always' as const }) }),
    ...(it.keepMethod && { saved_payment_method_options: { payment_method_save: 'enabled' as const } }),
    locale: /^es\b/.test(it.language) ? 'es' : 'auto',
    expires_at: Math.floor(it.at.getTime() / 1000) + openFor,
    success_url: it.returnTo,
    cancel_url: it.cancelTo,
  }
}

async function stateOf(client: Stripe, session: Stripe.Checkout.Session): Promise<ProviderPayment> {
  const customer = idOf(session.customer)
  const intent = typeof session.payment_intent === 'object' ? session.payment_intent : null
  if (!intent) return { state: session.status === 'expired' ? 'expired' : 'open', customer }
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null
  const currency = intent.currency.toUpperCase()
  const known = { charge: intent.id, customer, method: charge ? methodOf(charge) : undefined }
  if (intent.status === 'succeeded')
    return {
      ...known,
      state: 'paid',
      charged: fromMinor(intent.amount_received, currency),
      refunded: charge ? fromMinor(charge.amount_refunded, currency).amount : '0',
      dispute: charge?.disputed ? await disputeOf(client, charge.id) : undefined,
    }
  if (intent.status === 'processing') return { ...known, state: 'processing' }
  if (session.status === 'expired') return { ...known, state: 'expired' }
  // A card that was declined can be tried again on Stripe's page; a debit that came back cannot.
  const failed = session.status === 'complete' && intent.status === 'requires_payment_method'
  if (failed || intent.status === 'canceled')
    return { ...known, state: 'failed', failure: intent.last_payment_error?.message ?? undefined }
  return { ...known, state: 'open' }
}

async function disputeOf(client: Stripe, charge: string): Promise<ProviderPayment['dispute']> {
  const { data } = await asked(() => client.disputes.list({ charge, limit: 1 }))
  const status = data[0]?.status
  return status === 'won' || status === 'warning_closed' ? 'won' : status === 'lost' ? 'lost' : 'open'
}

function methodOf({ payment_method_details: details }: Stripe.Charge): ProviderPayment['method'] {
  const type = details?.type ?? ''
  if (type === 'card' || type === 'ideal') return type
  if (type === 'sepa_debit' || type === 'bacs_debit' || type === 'us_bank_account') return 'direct debit'
  return type === 'customer_balance' ? 'bank transfer' : 'other'
}

/** The payments that an event is about: a session, or the intent that a charge, refund or dispute belongs to. */
function hintsOf({ data: { object } }: Stripe.Event): Hint[] {
  if (object.object === 'checkout.session') return [{ id: object.metadata?.portico_payment, session: object.id }]
  const charge = 'payment_intent' in object ? idOf(object.payment_intent as string | { id: string } | null) : undefined
  return charge ? [{ charge }] : []
}

const idOf = (it: string | { id: string } | null): string | undefined =>
  typeof it === 'string' ? it : (it?.id ?? undefined)

/**
 * How Stripe counts, whatever people write: nobody writes hundredths of a forint or a rupiah any more, and Stripe counts
 * them (docs.stripe.com/currencies, zero-decimal and three-decimal currencies).
 */
const noPlaces = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ')
const threePlaces = 'BHD JOD KWD OMR TND'.split(' ')
const placesOf = (currency: string) => (noPlaces.includes(currency) ? 0 : threePlaces.includes(currency) ? 3 : 2)

/** In the currency's smallest unit, as Stripe counts. Throws Refused for an amount that has smaller parts. */
export function toMinor({ amount, currency }: Money): number {
  const minor = Big(amount).times(Big(10).pow(placesOf(currency)))
  if (!minor.eq(minor.round(0))) throw new Refused(`${amount} ${currency} has more decimals than the currency.`)
  return Number(minor.toFixed(0))
}

export function fromMinor(minor: number, currency: string): Money {
  const amount = Big(minor).div(Big(10).pow(placesOf(currency)))
  const usual = amount.toFixed(decimalsOf(currency))
  return { amount: amount.eq(usual) ? usual : amount.toFixed(placesOf(currency)), currency }
}
