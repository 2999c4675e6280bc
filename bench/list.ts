// npm run bench: a list page against its floor, in turns of a few seconds, and the same page with many more invoices.
// Prints ratios; the machine's own speed is in both figures of each.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import knex from 'knex'
import { migrateCrm } from '../demo/crm/migrate.ts'
import { seedCrm } from '../demo/crm/seed.ts'
import people from '../demo/people.json' with { type: 'json' }
import { connectPortal, preparePortal, seedAccounts } from '../demo/portal-database.ts'
import { startPostgres } from '../demo/postgres.ts'

const rounds = Number(process.env.ROUNDS ?? 7)
const many = Number(process.env.INVOICES ?? 1_000_000)
const password = 'only-in-benches'

const postgres = await startPostgres({ directory: mkdtempSync(join(tmpdir(), 'portico-bench-')), throwaway: true })
const owner = knex({ client: 'pg', connection: postgres.url, pool: { min: 0, max: 4 } })
await migrateCrm(owner)
await seedCrm(owner, { today: new Date().toISOString().slice(0, 10) })
await preparePortal(owner, password)
const database = connectPortal(postgres.url, password)
await seedAccounts(owner, database)
await database.destroy()

const [portal, floor] = [await serve('portal'), await serve('floor')]
const cookie = await signIn(portal.address)
await fetch(`${floor.address}/portal/brightside/invoices`, { headers: { cookie: await signIn(floor.address) } })
const page = `${portal.address}/portal/brightside/invoices`

const pairs: (readonly [Load, Load])[] = []
for (let round = -2; round < rounds; round++) {
  const pair = [await load(page, { cookie }), await load(`${floor.address}/floor`, {})] as const
  if (round >= 0) pairs.push(pair)
}
const middle = (of: (pair: readonly [Load, Load]) => number) => pairs.map(of).sort((a, b) => a - b)[pairs.length >> 1]!
const [p, f] = [middle(it => it[0].rate), middle(it => it[1].rate)]
console.log(`list-page ratio ${(p / f).toFixed(2)} (portal ${p.toFixed(0)} r/s, floor ${f.toFixed(0)} r/s)`)
const [slow, floorSlow] = [middle(it => it[0].p99), middle(it => it[1].p99)]
console.log(`list-page-p99 ratio ${(slow / floorSlow).toFixed(2)} (portal ${slow} ms, floor ${floorSlow} ms)`)

const few = middleOf(await times(page, cookie))
await fill(many)
const full = middleOf(await times(page, cookie))
console.log(
  `list-page-${many}-invoices ratio ${(full / few).toFixed(2)} (${full.toFixed(2)} ms, with 6,000 ${few.toFixed(2)} ms)`,
)

const known = middleOf(await signIns('nadia@acmebakery.example'))
const unknown = middleOf(await signIns('nobody@else.where'))
console.log(
  `sign-in-unknown-address ratio ${(unknown / known).toFixed(2)} (unknown ${unknown.toFixed(1)} ms, known ${known.toFixed(1)} ms)`,
)

for (const { child } of [portal, floor]) child.disconnect()
await owner.destroy()
await postgres.stop()

async function serve(kind: string) {
  const child = fork(join(import.meta.dirname, 'server.ts'), [kind, postgres.url, password], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, address: `http://127.0.0.1:${port}` }
}

async function signIn(address: string): Promise<string> {
  const { email, password } = people.find(it => it.email === 'nadia@acmebakery.example')!
  const body = new URLSearchParams({ email, password })
  const answer = await fetch(`${address}/portal/brightside/sign-in`, { method: 'POST', body, redirect: 'manual' })
  return answer.headers.getSetCookie()[0]!.split(';')[0]!
}

interface Load {
  rate: number
  p99: number
}

async function load(url: string, headers: Record<string, string>): Promise<Load> {
  const { requests, latency, non2xx } = await autocannon({ url, headers, connections: 16, duration: 2 })
  if (non2xx) throw new Error(`${non2xx} answers of ${url} were no pages`)
  return { rate: requests.average, p99: latency.p99 }
}

async function times(url: string, cookie: string): Promise<number[]> {
  return timed(300, () => fetch(url, { headers: { cookie } }))
}

async function signIns(email: string): Promise<number[]> {
  const body = new URLSearchParams({ email, password: 'wrong-password' })
  return timed(40, () => fetch(`${portal.address}/portal/brightside/sign-in`, { method: 'POST', body }))
}

async function timed(count: number, ask: () => Promise<Response>): Promise<number[]> {
  const taken = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    await (await ask()).text()
    taken.push(performance.now() - began)
  }
  return taken
}

function middleOf(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!
}

/** Spread over every client but the one that is looked at. */
async function fill(count: number) {
  await owner.raw(
    `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total, grand_total, amount_paid, balance)
     select c.workspace_id, c.id, 'bench-' || n, 'Filling', case when n % 10 = 0 then 'sent' else 'paid' end,
            current_date - n % 700, current_date - n % 700 + 30, 'EUR', n % 1000, n % 1000,
            case when n % 10 = 0 then 0 else n % 1000 end, case when n % 10 = 0 then n % 1000 else 0 end
     from generate_series(1, ?::int) n
       join (select row_number() over (order by id) - 1 as at, id, workspace_id from clients where company_name <> 'Acme Bakery') c
         on c.at = n % (select count(*) - 1 from clients)`,
    [count],
  )
  await owner.raw('vacuum analyze invoices')
}
