import knex from 'knex'
import { adapter } from '../../demo/adapter/adapter.ts'
import { createPortal } from '../../src/index.ts'

/** A process of its own that sends mail: what a test kills. */
const { DATABASE_URL = '', SMTP_URL = '', SECRET = '' } = process.env
const database = knex({ client: 'pg', connection: DATABASE_URL, pool: { min: 0, max: 4 } })
await createPortal({
  database,
  crm: adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff: () => undefined,
  secrets: [SECRET],
  log: { info() {}, warn() {}, error() {} },
  address: 'https://crm.example/portal',
  mail: { from: 'portal@brightside.example', url: SMTP_URL },
})
process.send?.('ready')
setInterval(() => undefined, 60_000)
