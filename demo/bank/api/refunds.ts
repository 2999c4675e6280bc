import { type Core, emit } from '../core.ts'
import { ApiError, missing } from '../errors.ts'
import { dated, newestFirst, page } from '../lists.ts'
import type { Charge } from '../objects.ts'
import { integer, mergeMetadata, metadata, oneOf, text } from '../params.ts'
import { createRefund } from '../refunds.ts'
import { get, route } from './route.ts'

const creation = {
  charge: text(),
  payment_intent: text(),
  amount: integer({ min: 1 }),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
  metadata,
}

export const refundRoutes = [
  route('post', '/refunds', creation, ({ core, params }) => {
    const charge = chargeOf(core, params)
    return createRefund(core, charge, { ...params, metadata: mergeMetadata({}, params.metadata) })
  }),
  route('get', '/refunds', { ...dated, charge: text(), payment_intent: text() }, ({ core, params }) => {
    const { charge, payment_intent, created } = params
    const some = newestFirst(core.state.refunds, created).filter(
      each =>
        (charge === undefined || each.charge === charge) &&
        (payment_intent === undefined || each.payment_intent === payment_intent),
    )
    return page(some, params, '/v1/refunds', 'refund')
  }),
  route('get', '/refunds/:id', {}, ({ core, id }) => get(core.state.refunds, id, 'refund')),
  route('post', '/refunds/:id', { metadata }, ({ core, id, params }) => {
    const refund = get(core.state.refunds, id, 'refund')
    refund.metadata = mergeMetadata(refund.metadata ?? {}, params.metadata)
    emit(core, 'refund.updated', refund)
    return refund
  }),
]

function chargeOf(core: Core, { charge, payment_intent }: { charge?: string; payment_intent?: string }): Charge {
  if (charge !== undefined && payment_intent !== undefined) {
    const message = 'You may only specify one of these parameters: charge, payment_intent.'
    throw new ApiError(message, { param: 'charge', early: true })
  }
  if (charge !== undefined) return get(core.state.charges, charge, 'charge', 'charge')
  if (payment_intent === undefined) throw missing('payment_intent')
  const intent = get(core.state.intents, payment_intent, 'payment_intent', 'payment_intent')
  if (intent.status === 'succeeded') return get(core.state.charges, String(intent.latest_charge), 'charge', 'charge')
  throw new ApiError(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
    param: 'payment_intent',
    code: 'payment_intent_unexpected_state',
  })
}
