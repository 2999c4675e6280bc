import { adapter } from '../demo/adapter/adapter.ts'
import { fresh } from './database.ts'
import { open } from './visit.ts'

export const settings = '/settings/client-portal/tasks'

/** Portico where the CRM keeps no tasks. */
export async function alone(options: Parameters<typeof open>[0] = {}) {
  const on = await fresh()
  const crm = adapter(on.database)
  const connect: typeof crm.connect = (customer, tx) => {
    const { tasks, ...ports } = crm.connect(customer, tx)
    return ports
  }
  return open({ on, crm: Object.create(crm, { connect: { value: connect } }), ...options })
}
