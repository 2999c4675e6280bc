import { emit } from '../core.ts'
import { dated, newestFirst, page } from '../lists.ts'
import { type CustomerInput, createCustomer } from '../methods.ts'
import type { Customer } from '../objects.ts'
import { clearable, email, mergeMetadata, metadata, text } from '../params.ts'
import { get, route } from './route.ts'

const changeable = {
  email: clearable(email),
  name: clearable(text(256)),
  phone: clearable(text(20)),
  description: clearable(text(350)),
  metadata,
}

export const customerRoutes = [
  route('post', '/customers', changeable, ({ core, params }) =>
    createCustomer(core, { ...params, metadata: mergeMetadata({}, params.metadata) }),
  ),
  route('get', '/customers/:id', {}, ({ core, id }) => get(core.state.customers, id, 'customer')),
  route('get', '/customers', { ...dated, email }, ({ core, params }) => {
    const all = newestFirst(core.state.customers, params.created)
    const some = params.email === undefined ? all : all.filter(each => each.email === params.email)
    return page(some, params, '/v1/customers', 'customer')
  }),
  route('post', '/customers/:id', changeable, ({ core, id, params }) => {
    const customer = get(core.state.customers, id, 'customer')
    update(customer, params)
    emit(core, 'customer.updated', customer)
    return customer
  }),
]

function update(customer: Customer, { metadata: change, ...fields }: CustomerInput): void {
  Object.assign(customer, fields)
  customer.metadata = mergeMetadata(customer.metadata, change)
}
