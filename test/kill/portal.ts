// The demo CRM with Portico in it, in a process that is going to be killed.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import knex from 'knex'
import { adapter } from '../../demo/adapter/adapter.ts'
import { map } from '../../demo/adapter/map.ts'
import { createCrm } from '../../demo/crm/app.ts'
import { mount, staff } from '../../demo/mount.ts'
import { adapterOf, createPortal, filesIn } from '../../src/index.ts'
import { allowLoopback } from '../../src/platform/outgoing.ts'
import { today } from '../database.ts'

const { OWNER_URL = '', PORTAL_URL = '', CRM_URL = '', FILES_FOLDER = '', LOOPBACK = '', PORT = '0' } = process.env
if (LOOPBACK) allowLoopback()
const connect = (connection: string) => knex({ client: 'pg', connection, pool: { min: 0, max: 6 } })
const database = connect(PORTAL_URL)
const silent = () => undefined
const portal = await createPortal({
  database,
  crm: CRM_URL ? adapterOf(map, connect(CRM_URL)) : adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff,
  secrets: ['a secret of at least thirty-two characters'],
  log: { info: silent, warn: silent, error: (facts: any, words: string) => console.error(words, facts) },
  address: 'https://crm.example/portal',
  files: FILES_FOLDER ? filesIn(FILES_FOLDER) : undefined,
  mail: { from: 'portal@example.com', send: async () => undefined },
})
const app = createCrm({ database: connect(OWNER_URL), secret: 'the secret of the CRM', today, mount: mount(portal) })
app.set('trust proxy', 'loopback')
const server = createServer(app).listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
