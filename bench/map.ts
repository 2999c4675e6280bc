// node bench/map.ts: lists of a client with 100,000 invoices among a million, by the adapter written by hand and by the map.
// Prints a ratio for each question: the map's time by that of hand-written SQL, in turns on the same database.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex from 'knex'
import { byHand } from '../demo/adapter/adapter.ts'
import { map } from '../demo/adapter/map.ts'
import { migrateCrm } from '../demo/crm/migrate.ts'
import { seedCrm } from '../demo/crm/seed.ts'
import { startPostgres } from '../demo/postgres.ts'
import { adapterOf, type Crm, type Customer } from '../src/index.ts'

const rounds = Number(process.env.ROUNDS ?? 31)
const postgres = await startPostgres({ directory: mkdtempSync(join(tmpdir(), 'portico-bench-')), throwaway: true })
const owner = knex({ client: 'pg', connection: postgres.url, pool: { min: 0, max: 2 } })
const today = new Date().toISOString().slice(0, 10)
await migrateCrm(owner)
await seedCrm(owner, { today })
const acme = await owner('clients').where({ company_name: 'Acme Bakery' }).first('id', 'workspace_id')
await fill()

const customer: Customer = {
  workspace: {
    id: String(acme.workspace_id),
    slug: 'brightside',
    name: '',
    letterhead: [],
    timeZone: 'Europe/Amsterdam',
  },
  client: { id: String(acme.id), name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today,
}
const of = (crm: Crm) => crm.connect(customer)
const [hand, mapped] = [of(byHand(owner)), of(adapterOf(map, owner))]

type Ports = typeof hand
const questions: Record<string, (ports: Ports) => Promise<unknown>> = {
  'invoices newest': ports => ports.invoices!.list({ sort: 'newest', size: 20 }),
  'invoices urgent': ports => ports.invoices!.list({ sort: 'urgent', size: 20 }),
  'invoices amount': ports => ports.invoices!.list({ sort: 'amount', size: 20 }),
  'invoices overdue': ports => ports.invoices!.list({ sort: 'newest', status: 'overdue', size: 20 }),
  'invoices searched': ports => ports.invoices!.list({ sort: 'newest', search: 'bench-777', size: 20 }),
  'invoices overview': ports => ports.invoices!.overview(),
  'invoices first page': ports =>
    ports.invoices!.overview({ since: [`${today.slice(0, 4)}-01-01`], monthsFrom: today }),
  'payments newest': ports => ports.payments!.list({ size: 20 }),
  'payments of a year': ports => ports.payments!.list({ size: 20, year: Number(today.slice(0, 4)) }),
  'payments years': ports => ports.payments!.years(),
  'proposals urgent': ports => ports.proposals!.list({ sort: 'urgent', size: 20 }),
}
for (const [name, ask] of Object.entries(questions)) {
  const its: [number, number][] = []
  for (let round = -8; round < rounds; round++) {
    const pair = [await timed(() => ask(hand)), await timed(() => ask(mapped))] as [number, number]
    if (round >= 0) its.push(pair)
  }
  const [h, m] = [middle(its.map(it => it[0])), middle(its.map(it => it[1]))]
  console.log(`map: ${name} ratio ${(m / h).toFixed(2)} (map ${m.toFixed(2)} ms, by hand ${h.toFixed(2)} ms)`)
}

// Page after page, far down.
for (const [name, ports] of [
  ['by hand', hand],
  ['map', mapped],
] as const) {
  let after: string | undefined
  const taken = []
  for (let page = 0; page < 500; page++) {
    taken.push(
      await timed(async () => {
        after = (await ports.invoices!.list({ sort: 'newest', size: 100, after })).next ?? undefined
      }),
    )
  }
  console.log(
    `map: pages 1 to 100 and 400 to 500 of invoices, ${name}: ${middle(taken.slice(0, 100)).toFixed(2)} and ${middle(taken.slice(400)).toFixed(2)} ms`,
  )
}

if (process.env.EXPLAIN) await explained()

await owner.destroy()
await postgres.stop()

async function timed(ask: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await ask()
  return performance.now() - began
}

function middle(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}

/** What PostgreSQL does for the lists of the map. */
async function explained() {
  const { client } = owner
  const acquire = client.acquireConnection.bind(client)
  const asked: { text: string; values: unknown[] }[] = []
  client.acquireConnection = async () => {
    const connection = await acquire()
    const query = connection.query
    connection.query = (it: any, ...more: unknown[]) => {
      if (it?.text) asked.push(it)
      return query.call(connection, it, ...more)
    }
    return connection
  }
  for (const [name, ask] of Object.entries(questions)) {
    asked.length = 0
    await ask(mapped)
    const { text, values } = asked.at(-1)!
    client.acquireConnection = acquire
    const connection = await acquire()
    const { rows } = await connection.query({
      text: `explain (analyze, costs off, timing off, summary off, buffers off) ${text}`,
      values,
    })
    await client.releaseConnection(connection)
    console.log(`\n${name}\n${rows.map((it: any) => it['QUERY PLAN']).join('\n')}`)
  }
}

/** A million invoices, of which one client has 100,000; a payment for most. */
async function fill() {
  await owner.raw(
    `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total, grand_total, amount_paid, balance)
     select c.workspace_id, c.id, 'bench-' || n, 'Filling', case when n % 100 = 0 then 'sent' else 'paid' end,
            current_date - n % 1700, current_date - n % 1700 + 30, 'EUR', n % 1000, n % 1000,
            case when n % 100 = 0 then 0 else n % 1000 end, case when n % 100 = 0 then n % 1000 else 0 end
     from generate_series(1, 1000000) n
       join (select row_number() over (order by id) - 1 as at, id, workspace_id from clients) c
         on c.id = case when n % 10 = 3 then ?::int else c.id end and (n % 10 = 3 or c.at = n % (select count(*) from clients))`,
    [acme.id],
  )
  await owner.raw(
    `insert into payments (client_id, invoice_id, paid_on, amount, method)
     select client_id, id, issued_on + 10, grand_total, 'card' from invoices where ref_no like 'bench-%' and state = 'paid' and grand_total > 0`,
  )
  await owner.raw('vacuum analyze invoices')
  await owner.raw('vacuum analyze payments')
}
