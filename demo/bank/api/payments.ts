import type { Core } from '../core.ts'
import { ApiError } from '../errors.ts'
import { dated, newestFirst, page } from '../lists.ts'
import type { Charge, Intent } from '../objects.ts'
import { clearable, mergeMetadata, metadata, oneOf, text } from '../params.ts'
import { get, route } from './route.ts'

const filters = { ...dated, customer: text() }
const reasons = oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer')

/** Payments and the charges that they are made of, setups of methods, and movements of the balance. */
export const paymentRoutes = [
  route('get', '/payment_intents', filters, ({ core, params }) => {
    const all = newestFirst(core.state.intents, params.created)
    return page(ofCustomer(all, params.customer), params, '/v1/payment_intents', 'payment_intent')
  }),
  route('get', '/payment_intents/:id', {}, ({ core, id }) => intentIn(core, id)),
  route('post', '/payment_intents/:id', { metadata, description: clearable(text(1_000)) }, ({ core, id, params }) => {
    const intent = intentIn(core, id)
    intent.metadata = mergeMetadata(intent.metadata, params.metadata)
    if (params.description !== undefined) intent.description = params.description
    core.store.changed()
    return intent
  }),
  route('post', '/payment_intents/:id/cancel', { cancellation_reason: reasons }, ({ core, id }) => {
    throw notCancellable(intentIn(core, id))
  }),
  route('get', '/charges', { ...filters, payment_intent: text() }, ({ core, params }) => {
    const { payment_intent, customer, created } = params
    const all = ofCustomer(newestFirst(core.state.charges, created), customer)
    const some = payment_intent === undefined ? all : all.filter(each => each.payment_intent === payment_intent)
    return page(some, params, '/v1/charges', 'charge')
  }),
  route('get', '/charges/:id', {}, ({ core, id }) => get(core.state.charges, id, 'charge')),
  route('get', '/setup_intents/:id', {}, ({ core, id }) => get(core.state.setups, id, 'setup_intent', 'intent')),
  route('get', '/balance_transactions', { ...dated, source: text() }, ({ core, params }) => {
    const all = newestFirst(core.state.transactions, params.created)
    const some = params.source === undefined ? all : all.filter(each => each.source === params.source)
    return page(some, params, '/v1/balance_transactions', 'balance_transaction')
  }),
  route('get', '/balance_transactions/:id', {}, ({ core, id }) =>
    get(core.state.transactions, id, 'balance_transaction'),
  ),
  route('get', '/mandates/:id', {}, ({ core, id }) => get(core.state.mandates, id, 'mandate')),
]

const intentIn = (core: Core, id: string): Intent => get(core.state.intents, id, 'payment_intent', 'intent')

const ofCustomer = <T extends Intent | Charge>(all: T[], customer: string | undefined): T[] =>
  customer === undefined ? all : all.filter(each => each.customer === customer)

/** Every payment here belongs to a checkout session, and those cannot be cancelled by themselves. */
function notCancellable(intent: Intent): ApiError {
  const code = 'payment_intent_unexpected_state'
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
    const message =
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with ` +
      'one of the following statuses may be canceled: requires_payment_method, requires_capture, ' +
      'requires_confirmation, requires_action.'
    return new ApiError(message, { code, payment_intent: structuredClone(intent) })
  }
  const message = 'You cannot cancel the PaymentIntent of a Checkout Session. Expire the Checkout Session instead.'
  return new ApiError(message, { code, payment_intent: structuredClone(intent) })
}
