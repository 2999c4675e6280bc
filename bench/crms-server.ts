// One server of bench/crms.ts: the portal on a CRM by its kept map, and beside it the floor: a bare Express handler with
// SQL written by hand, the same HTML and nothing else. Says its port to the parent process.
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import express, { type RequestHandler } from 'express'
import knex from 'knex'
import { Filter } from '../plugins/invoices/pages.ts'
import { words } from '../plugins/invoices/words.ts'
import { shown } from '../src/http/respond.ts'
import { adapterOf, createPortal, query } from '../src/index.ts'
import { sections } from '../src/plugin/discover.ts'
import type { Host } from '../src/plugin/plugin.ts'
import { snapshots } from '../test/crms/snapshots.ts'
import { experts, overviewSql, pageSql } from './experts.ts'

const [, , url = '', ownerUrl = '', name = ''] = process.argv
const connect = (to: string) => knex({ client: 'pg', connection: to, pool: { min: 0, max: 10 } })
const database = connect(url)
/** Whoever writes SQL by hand may read every column. */
const owner = connect(ownerUrl)
const { map } = snapshots.find(it => it.name === name)!
const expert = experts[name]!

/** What the portal knew of the first request is what the floor works with ever after. */
let visit: Express.Request['portal'] | undefined
const capture: RequestHandler = (req, _res, next) => {
  visit ??= req.portal
  next()
}
const watched = sections.map(section => ({
  ...section,
  routes(router: express.Router, host: Host) {
    const get = router.get.bind(router) as (...of: any[]) => any
    router.get = ((path: string, rule: RequestHandler, ...rest: RequestHandler[]) =>
      get(path, rule, capture, ...rest)) as never
    section.routes(router, host)
  },
}))

const portal = await createPortal({
  database,
  crm: adapterOf(map, database),
  flags: { enabledAnywhere: () => true, enabled: () => true },
  staff: () => undefined,
  secrets: ['a secret of at least thirty-two characters'],
  log: { info() {}, warn() {}, error: console.error },
  sections: watched,
})

const app = express()
app.get('/floor/invoices', async (req, res) => {
  if (!visit) return void res.status(503).end()
  const known = visit
  const filter = Filter.parse(req.query)
  const { items, overview } = await asked(known)
  const data = { filter, overview, items: items.slice(0, 20), next: 'next', ...words(known) }
  res.type('html').send(shown(known, 'invoices/list', data))
})

app.get('/floor/twenty', async (_req, res) => {
  if (!visit || !expert.twenty) return void res.status(503).end()
  const { client, workspace } = visit.customer
  res.json(await query(owner, { name: 'floor.twenty', text: expert.twenty, values: [client.id, workspace.id] }))
})

/** Whether both say the same: 204, or 409 with what is different. */
app.get('/same', async (_req, res) => {
  if (!visit) return void res.status(503).end()
  const { invoices } = visit.crm
  const [portals, its] = [
    [(await invoices.list({ sort: 'urgent', size: 20 })).items, await invoices.overview()],
    await asked(visit),
  ]
  const hand = [its.items.slice(0, 20), its.overview]
  const plain = (it: unknown) => JSON.parse(JSON.stringify(it))
  if (isDeepStrictEqual(plain(portals), plain(hand))) return void res.status(204).end()
  res.status(409).json({ portals, hand })
})

async function asked({ customer }: Express.Request['portal']) {
  const values = [customer.client.id, customer.workspace.id, customer.today]
  const [rows, [row]] = await Promise.all([
    query(owner, { name: 'floor.page', text: pageSql(expert), values }),
    query(owner, { name: 'floor.overview', text: overviewSql(expert), values }),
  ])
  const items = rows.map(({ total, balance, currency, ...it }) => ({
    ...it,
    total: { amount: total, currency },
    balance: { amount: balance, currency },
  }))
  return { items, overview: row.overview }
}

app.use('/portal', portal.clients)
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
