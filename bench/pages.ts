// npm run bench: the list, a document and the first page against their floors at 1, 16 and 64 connections, in turns of
// two seconds; the list with many more invoices; round trips and bytes. Prints ratios: the machine's own speed is in
// both figures of each. INVOICES=10000000 CLIENTS=100000 for as many as DESIGN speaks of.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { growCrm } from '../demo/crm/seed/large.ts'
import people from '../demo/people.json' with { type: 'json' }
import { password, prepareDemo } from './demo.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const grown = { clients: Number(process.env.CLIENTS ?? 10_000), invoices: Number(process.env.INVOICES ?? 1_000_000) }

const { postgres, owner } = await prepareDemo()

const [portal, floor] = [await serve(), await serve()]
const { id } = await owner('invoices').where({ ref_no: '2026-0107' }).first('id')
const cookie = await signIn(portal.address)
const home = `${portal.address}/portal/brightside`
// The floor learns from one page of the portal beside it what it works with.
await fetch(`${floor.address}/portal/brightside/invoices`, { headers: { cookie: await signIn(floor.address) } })

const pages = { 'list-page': '/invoices', 'document-page': `/invoices/${id}`, 'first-page': '/' }
for (const connections of [1, 16, 64]) {
  for (const [name, path] of Object.entries(pages)) {
    const pairs: (readonly [Load, Load])[] = []
    for (let round = -1; round < rounds; round++) {
      const pair = [
        await load(home + path, { cookie }, connections),
        await load(`${floor.address}/floor${path === '/' ? '' : path}`, {}, connections),
      ] as const
      if (round >= 0) pairs.push(pair)
    }
    const middle = (of: (pair: readonly [Load, Load]) => number) => middleOf(pairs.map(of))
    const [p, f] = [middle(it => it[0].rate), middle(it => it[1].rate)]
    const [slow, floorSlow] = [middle(it => it[0].p99), middle(it => it[1].p99)]
    const at = `${name}-at-${connections}`
    console.log(`${at} ratio ${(p / f).toFixed(2)} (portal ${p.toFixed(0)} r/s, floor ${f.toFixed(0)} r/s)`)
    console.log(`${at}-p99 ratio ${(slow / floorSlow).toFixed(2)} (portal ${slow} ms, floor ${floorSlow} ms)`)
  }
}

for (const [name, path] of Object.entries(pages)) {
  await fetch(home + path, { headers: { cookie } })
  const [before, answer] = [await statements(), await fetch(home + path, { headers: { cookie } })]
  const headers = [...answer.headers].reduce((sum, [key, value]) => sum + key.length + value.length + 4, 17)
  const bytes = headers + Number(answer.headers.get('content-length'))
  const plain = (await answer.text()).length
  console.log(
    `${name}-costs ${(await statements()) - before} round trips, ${bytes} bytes with headers (${plain} unpacked)`,
  )
}

const times = (path: string) => timed(300, () => fetch(home + path, { headers: { cookie } }))
const few: Record<string, number> = {}
for (const [name, path] of Object.entries(pages)) few[name] = middleOf(await times(path))
await growCrm(owner, grown)
for (const [name, path] of Object.entries(pages)) {
  const many = middleOf(await times(path))
  console.log(
    `${name}-with-${grown.invoices}-invoices ratio ${(many / few[name]!).toFixed(2)} (${many.toFixed(2)} ms, with 6,000 ${few[name]!.toFixed(2)} ms)`,
  )
}

const known = middleOf(await signIns('nadia@acmebakery.example'))
const unknown = middleOf(await signIns('nobody@else.where'))
console.log(
  `sign-in-unknown-address ratio ${(unknown / known).toFixed(2)} (unknown ${unknown.toFixed(1)} ms, known ${known.toFixed(1)} ms)`,
)

for (const { child } of [portal, floor]) child.disconnect()
await owner.destroy()
await postgres.stop()

async function serve() {
  const child = fork(join(import.meta.dirname, 'server.ts'), [postgres.url, password], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, address: `http://127.0.0.1:${port}` }
}

async function signIn(address: string): Promise<string> {
  const { email, password } = people.find(it => it.email === 'nadia@acmebakery.example')!
  const body = new URLSearchParams({ email, password })
  const answer = await fetch(`${address}/portal/brightside/sign-in`, { method: 'POST', body, redirect: 'manual' })
  return answer.headers
    .getSetCookie()
    .find(it => it.startsWith('portico.sid'))!
    .split(';')[0]!
}

interface Load {
  rate: number
  p99: number
}

async function load(url: string, headers: Record<string, string>, connections: number): Promise<Load> {
  const { requests, latency, non2xx } = await autocannon({ url, headers, connections, duration: 2 })
  if (non2xx) throw new Error(`${non2xx} answers of ${url} were no pages`)
  return { rate: requests.average, p99: latency.p99 }
}

async function statements(): Promise<number> {
  const text = await (await fetch(`${portal.address}/portal/-/metrics`)).text()
  return Number(/^portico_sql_statements_total (\d+)/m.exec(text)?.[1])
}

async function signIns(email: string): Promise<number[]> {
  const body = new URLSearchParams({ email, password: 'wrong-password' })
  const ask = () => fetch(`${portal.address}/portal/brightside/sign-in`, { method: 'POST', body })
  return timed(40, ask, () => owner('portal_jobs.limits').delete())
}

async function timed(count: number, ask: () => Promise<Response>, before?: () => Promise<unknown>): Promise<number[]> {
  const taken = []
  for (let n = 0; n < count; n++) {
    await before?.()
    const began = performance.now()
    await (await ask()).text()
    taken.push(performance.now() - began)
  }
  return taken
}

function middleOf(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}
