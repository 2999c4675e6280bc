import { ApiError } from '../errors.ts'
import { newestFirst, page, paging } from '../lists.ts'
import { detach } from '../methods.ts'
import type { Method } from '../objects.ts'
import { needed, oneOf, text } from '../params.ts'
import { get, route } from './route.ts'

const type = oneOf('card', 'sepa_debit')
const allow_redisplay = oneOf('always', 'limited', 'unspecified')

/** The methods that customers have saved. */
export const methodRoutes = [
  route('get', '/customers/:id/payment_methods', { ...paging, type, allow_redisplay }, ({ core, id, params }) => {
    get(core.state.customers, id, 'customer', 'customer')
    const all = attachedTo(newestFirst(core.state.methods), id, params.type)
    const some = params.allow_redisplay ? all.filter(each => each.allow_redisplay === params.allow_redisplay) : all
    return page(some, params, `/v1/customers/${id}/payment_methods`, 'payment_method')
  }),
  route('get', '/payment_methods', { ...paging, type, customer: needed(text()) }, ({ core, params }) => {
    get(core.state.customers, params.customer, 'customer', 'customer')
    const some = attachedTo(newestFirst(core.state.methods), params.customer, params.type)
    return page(some, params, '/v1/payment_methods', 'payment_method')
  }),
  route('get', '/payment_methods/:id', {}, ({ core, id }) => get(core.state.methods, id, 'payment_method')),
  route('post', '/payment_methods/:id/detach', {}, ({ core, id }) => {
    const method = get(core.state.methods, id, 'payment_method')
    if (!method.customer) {
      const message = `The payment method you provided is not attached to a customer so detachment is impossible.`
      throw new ApiError(message, { param: 'payment_method' })
    }
    return detach(core, method)
  }),
]

const attachedTo = (methods: Method[], customer: string, type: string | undefined) =>
  methods.filter(each => each.customer === customer && (type === undefined || each.type === type))
