import { dated, newestFirst, page } from '../lists.ts'
import { text } from '../params.ts'
import { get, route } from './route.ts'

const filters = { ...dated, charge: text(), payment_intent: text() }

export const disputeRoutes = [
  route('get', '/disputes', filters, ({ core, params }) => {
    const { charge, payment_intent, created } = params
    const some = newestFirst(core.state.disputes, created).filter(
      each =>
        (charge === undefined || each.charge === charge) &&
        (payment_intent === undefined || each.payment_intent === payment_intent),
    )
    return page(some, params, '/v1/disputes', 'dispute')
  }),
  route('get', '/disputes/:id', {}, ({ core, id }) => get(core.state.disputes, id, 'dispute')),
]
