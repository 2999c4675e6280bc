import knex from 'knex'
import { invoicesContract } from 'portico/plugins/invoices/contract'
import { adapter } from './portal-adapter.js'

const database = knex({ client: 'pg', connection: process.env.PORTAL_DATABASE_URL })
const customer = (id, name) => ({
  workspace: { id: '1', slug: 'acme', name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
  client: { id, name },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today: '2026-11-01',
})

after(() => database.destroy())

invoicesContract(async () => ({ crm: adapter(database), mine: customer('1', 'Jo'), theirs: customer('2', 'Sam') }))
