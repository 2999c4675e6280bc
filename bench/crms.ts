// The list of invoices of real CRMs by their kept maps, in its default order, for the client with the most of them, at 16
// connections: against the same questions as SQL written by hand with the same HTML and nothing else, in turns of two
// seconds. Databases as for npm run proof:crms; without them nothing is measured.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import knex, { type Knex } from 'knex'
import { startPostgres } from '../demo/postgres.ts'
import { hashPassword } from '../src/auth/passwords.ts'
import { join as joined } from '../src/auth/people.ts'
import { Audited, acceptAudit, adapterOf, grantsOf, migrate, query } from '../src/index.ts'
import { within } from '../src/platform/database.ts'
import { mostInvoices, workspacesOf } from '../test/crms/database.ts'
import { loadDump } from '../test/crms/dump.ts'
import { type Snapshot, snapshots } from '../test/crms/snapshots.ts'
import { experts } from './experts.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const role = 'portico_app'
const password = 'only-in-benches'
const email = 'busiest@client.example'

if (!snapshots.length) console.log('crms: there are no databases to measure')
else await measureAll()

async function measureAll() {
  const directory = mkdtempSync(join(tmpdir(), 'portico-bench-'))
  const postgres = await startPostgres({ directory, throwaway: true })
  const server = knex({ client: 'pg', connection: postgres.url, pool: { min: 0, max: 1 } })
  await server.raw(`create role ${role} login password '${password}'`)
  await server.raw(`alter role ${role} set jit = off`)
  for (const snapshot of snapshots) {
    const name = snapshot.name.replaceAll('-', '_')
    await server.raw(`create database ${name}`)
    await measure(snapshot, Object.assign(new URL(postgres.url), { pathname: `/${name}` }))
  }
  await server.destroy()
  await postgres.stop()
}

async function measure(snapshot: Snapshot, url: URL) {
  await loadDump(url.href, snapshot.dump)
  const owner = knex({ client: 'pg', connection: url.href, pool: { min: 0, max: 2 } })
  const portalUrl = Object.assign(new URL(url), { username: role, password }).href
  const slug = await prepare(snapshot, owner, portalUrl)
  const ownerUrl = Object.assign(new URL(url), { search: '?options=-c%20jit%3Doff' }).href
  const start = () => serve(portalUrl, ownerUrl, snapshot.name)
  const [portal, floor] = [await start(), await start()]
  const cookie = await signIn(portal.address, slug)
  const list = (address: string) => `${address}/portal/${slug}/invoices`
  // Each learns from one page with what it works.
  await fetch(list(portal.address), { headers: { cookie } })
  await fetch(list(floor.address), { headers: { cookie: await signIn(floor.address, slug) } })
  const same = await fetch(`${floor.address}/same`)
  if (same.status !== 204) throw new Error(`${snapshot.name}: not the same by hand: ${await same.text()}`)

  const ours = () => rate(list(portal.address), { cookie })
  await compare(`${snapshot.name} invoices`, ours, () => rate(`${floor.address}/floor/invoices`, {}))
  const twenty = () => rate(`${floor.address}/floor/twenty`, {})
  if (experts[snapshot.name]?.twenty) await compare(`${snapshot.name} invoices-beside-twenty-rows`, ours, twenty)
  for (const { child } of [portal, floor]) child.disconnect()
  await owner.destroy()
}

/** Both in turns; the first turn warms up. */
async function compare(name: string, portal: () => Promise<number>, floor: () => Promise<number>) {
  const pairs: [number, number][] = []
  for (let round = -1; round < rounds; round++) {
    const pair: [number, number] = [await portal(), await floor()]
    if (round >= 0) pairs.push(pair)
  }
  const [p, f] = [middleOf(pairs.map(it => it[0])), middleOf(pairs.map(it => it[1]))]
  console.log(`crms ${name} ratio ${(p / f).toFixed(2)} (portal ${p.toFixed(0)} r/s, floor ${f.toFixed(0)} r/s)`)
}

/** Portico on this database, and somebody with an account for the client with the most invoices. Returns the slug. */
async function prepare({ map, truth }: Snapshot, owner: Knex, portalUrl: string): Promise<string> {
  const crm = adapterOf(map, owner)
  for (const text of grantsOf(crm, role)) await query(owner, { text })
  await migrate(owner, { role })
  await owner.raw(`create or replace function portal.now() returns timestamptz language sql stable parallel safe
                   as $$ select '${truth().asOf}T09:00:00Z'::timestamptz $$`)
  await acceptAudit(owner, crm, { audit: Audited.parse({ answers: {}, data: {}, fingerprint: 'f' }), by: 'a bench' })
  const { client, workspace } = await mostInvoices(map, owner)
  const its = (await workspacesOf(map, owner)).get(workspace)!
  const joining = { workspace: its.id, email, name: 'Busiest', contact: null, role: 'admin' as const }
  const whose = { id: client, name: 'Client' }
  const passwordHash = await hashPassword(password)
  const database = knex({ client: 'pg', connection: portalUrl, pool: { min: 0, max: 1 } })
  await within(database, { workspace: its.id }, tx => joined(tx, { ...joining, client: whose, passwordHash }))
  await database.destroy()
  return its.slug
}

async function serve(url: string, ownerUrl: string, name: string) {
  const child = fork(join(import.meta.dirname, 'crms-server.ts'), [url, ownerUrl, name], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, address: `http://127.0.0.1:${port}` }
}

async function signIn(address: string, slug: string): Promise<string> {
  const body = new URLSearchParams({ email, password })
  const answer = await fetch(`${address}/portal/${slug}/sign-in`, { method: 'POST', body, redirect: 'manual' })
  const cookie = answer.headers.getSetCookie().find(it => it.startsWith('portico.sid'))
  if (!cookie) throw new Error(`${email} cannot sign in: ${answer.status}`)
  return cookie.split(';')[0]!
}

async function rate(url: string, headers: Record<string, string>): Promise<number> {
  const { requests, non2xx } = await autocannon({ url, headers, connections: 16, duration: 2 })
  if (non2xx) throw new Error(`${non2xx} answers of ${url} were no pages`)
  return requests.average
}

function middleOf(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}
