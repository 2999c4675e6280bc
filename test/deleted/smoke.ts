// Runs in a copy of the tree from which a plugin was deleted: migrates the database that it is given, opens the demo with
// the portal in it, and looks at every page that there is as a client and as an admin. Prints what it saw as JSON.
import type { Express } from 'express'
import knex from 'knex'
import request from 'supertest'
import { adapter } from '../../demo/adapter/adapter.ts'
import { createCrm } from '../../demo/crm/app.ts'
import { beside, mount, staff } from '../../demo/mount.ts'
import people from '../../demo/people.json' with { type: 'json' }
import { connectPortal, preparePortal, seedAccounts } from '../../demo/portal-database.ts'
import { createPortal } from '../../src/index.ts'

const [, , url = '', state = '', today = ''] = process.argv
const password = 'only-in-tests'
const secret = 'a secret of at least thirty-two characters'
const settings = '/settings/client-portal'
/** So many pages of each are looked at. */
const most = state === 'empty' ? 20 : 60

const owner = knex({ client: 'pg', connection: url })
const database = connectPortal(url, password)
const errors: string[] = []
const log = {
  info() {},
  warn() {},
  error: (it: object, text: string) => void errors.push(`${text} ${JSON.stringify(it)}`),
}

await preparePortal(owner, password)
if (state === 'empty') await seedAccounts(owner, database)
const portal = await createPortal({
  database,
  crm: adapter(database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff,
  secrets: [secret],
  log,
  address: 'https://crm.example/portal',
  mail: { from: 'portal@example.com', send: async () => undefined },
})
const app = createCrm({
  database: owner,
  secret: 'the secret of the CRM',
  today,
  beside: beside(portal),
  mount: mount(portal),
})

const client = await lookAround(app, {
  email: 'nadia@acmebakery.example',
  at: '/portal/brightside/sign-in',
  from: '/portal/brightside',
})
const admin = await lookAround(app, { email: 'marta@brightside.example', at: '/login', from: settings })
console.log(JSON.stringify({ client, admin, errors }))
process.exit()

/** Follows every link from here on that stays in the portal, and gives each path with its status. */
async function lookAround(app: Express, { email, at, from }: { email: string; at: string; from: string }) {
  const agent = request.agent(app)
  const person = people.find(it => it.email === email)
  await agent.post(at).type('form').send({ email, password: person?.password })
  const seen: Record<string, number> = {}
  const waiting = [from]
  while (waiting.length && Object.keys(seen).length < most) {
    const path = waiting.shift() ?? ''
    if (path in seen) continue
    const { status, text = '' } = await agent.get(path)
    seen[path] = status
    for (const [, found = ''] of text.matchAll(/href="([^"#?]+)[^"]*"/g))
      if (found.startsWith(from) && !/\.(css|js|svg|pdf|csv)$|\/pdf$|\/-\//.test(found)) waiting.push(found)
  }
  return seen
}
