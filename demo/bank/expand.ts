import type { Core } from './core.ts'
import { ApiError } from './errors.ts'
import { listOf } from './lists.ts'

/** What `expand[]` can replace, by object. */
const expandable: Record<string, string[]> = {
  'checkout.session': ['customer', 'line_items', 'payment_intent', 'setup_intent'],
  payment_intent: ['customer', 'latest_charge', 'payment_method'],
  setup_intent: ['customer', 'mandate', 'payment_method'],
  charge: ['balance_transaction', 'customer', 'failure_balance_transaction', 'payment_intent', 'refunds'],
  refund: [
    'balance_transaction',
    'charge',
    'customer',
    'failure_balance_transaction',
    'payment_intent',
    'payment_method',
  ],
  dispute: ['charge', 'payment_intent'],
  payment_method: ['customer'],
  balance_transaction: ['source'],
  mandate: ['payment_method'],
}
const depth = 4

/** A copy of an answer with what `expand[]` asks for in place of ids. */
export function expand<T extends object>(core: Core, answer: T, paths: string[]): T {
  const copy = structuredClone(answer)
  for (const path of paths) {
    const names = path.split('.')
    if (names.length > depth) throw notExpandable(path, `You cannot expand more than ${depth} levels of a property.`)
    into(core, copy, names, path)
  }
  return copy
}

type Fields = Record<string, unknown>

function into(core: Core, target: object, [name, ...rest]: string[], path: string): void {
  if (name === undefined) return
  const fields = target as Fields
  if (name === 'data' && Array.isArray(fields.data)) {
    for (const each of fields.data) into(core, each, rest, path)
    return
  }
  if (!expandable[String(fields.object)]?.includes(name)) throw notExpandable(path)
  const found = typeof fields[name] === 'object' ? fields[name] : lookUp(core, fields, name)
  if (!found) return
  fields[name] = found
  into(core, found, rest, path)
}

function lookUp(core: Core, fields: Fields, name: string): object | undefined {
  const { state } = core
  const id = String(fields.id)
  if (name === 'line_items') {
    return listOf(state.checkouts[id]?.items ?? [], { url: `/v1/checkout/sessions/${id}/line_items` })
  }
  if (name === 'refunds') {
    const refunds = Object.values(state.refunds).filter(({ charge }) => charge === id)
    return listOf(refunds.toReversed(), { url: `/v1/charges/${id}/refunds` })
  }
  const { checkouts, accounts, answered, deliveries, tasks, ...tables } = state
  const wanted = fields[name]
  if (typeof wanted !== 'string') return undefined
  const table = Object.values(tables).find(each => typeof each === 'object' && Object.hasOwn(each, wanted))
  return structuredClone((table as Record<string, object> | undefined)?.[wanted])
}

const notExpandable = (path: string, message = `This property cannot be expanded (${path}).`) =>
  new ApiError(message, { param: 'expand', early: true })
