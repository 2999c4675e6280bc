import type { Knex } from 'knex'
import { adapter } from '../demo/adapter/adapter.ts'
import type { Actors } from '../src/crm/contract.ts'
import type { Crm, Customer } from '../src/index.ts'
import { today } from './database.ts'
import { open } from './visit.ts'

/** The demo CRM through an adapter, as the owner and as her neighbour; with more tables, made by this SQL. */
export async function actors(crm: (database: Knex) => Crm = adapter, more = ''): Promise<Actors> {
  const { owner, database } = await open()
  if (more) await owner.raw(more)
  const customer = async (name: string): Promise<Customer> => {
    const it = await owner('clients').where({ company_name: name }).first('id', 'workspace_id')
    return {
      workspace: {
        id: String(it.workspace_id),
        slug: 'brightside',
        name: '',
        letterhead: [],
        timeZone: 'Europe/Amsterdam',
      },
      client: { id: String(it.id), name },
      person: { id: '', name: '', email: '' },
      role: 'admin',
      today,
    }
  }
  return { crm: crm(database), mine: await customer('Acme Bakery'), theirs: await customer('Halloran & Sons') }
}
