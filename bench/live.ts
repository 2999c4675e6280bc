// node bench/live.ts: what 1,000 open pages that nothing happens on cost an instance (memory, processor time, statements),
// and how long until all of one client are told of a change.
import { fork } from 'node:child_process'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cookieSecrets } from '../src/auth/sessions.ts'
import { password, prepareDemo } from './demo.ts'

const wanted = Number(process.env.STREAMS ?? 1_000)
const secret = 'a secret of at least thirty-two characters'
const { postgres, owner } = await prepareDemo()
const child = fork(join(import.meta.dirname, 'server.ts'), [postgres.url, password], {
  env: { ...process.env, NODE_ENV: 'production' },
})
const [{ port }] = (await once(child, 'message')) as [{ port: number }]
const portal = `http://127.0.0.1:${port}/portal`
const { id: client } = await owner('clients').where({ company_name: 'Acme Bakery' }).first('id')

// Four streams of each session, and five sessions of each person.
const cookies: string[] = []
for (let at = 0; at < wanted / 20; at++) cookies.push(...(await sessionsOf(await addPerson(at), 5)))
for (const it of cookies) await (await fetch(`${portal}/brightside/`, { headers: { cookie: it } })).text()
await sleep(3_000)
const before = memory()

let told = 0
const cut = new AbortController()
for (const cookie of cookies) await Promise.all(Array.from({ length: 4 }, () => listen(cookie)))
await sleep(5_000)
const [after, usedBefore, sentBefore] = [memory(), processor(), await statements()]
await sleep(30_000)
const [settled, used, sent] = [memory(), processor() - usedBefore, (await statements()) - sentBefore]
console.log(
  `live-memory ${after - before} MB more for ${cookies.length * 4} streams (${before} before, ${settled} after)`,
)
console.log(
  `live-idle ${((used / 30) * 100).toFixed(1)} % of a processor, ${(sent / 30).toFixed(1)} statements a second`,
)

const began = performance.now()
await owner.raw(`select pg_notify('portal_live', ?)`, [
  JSON.stringify(['changed', '1', String(client), 'documents', null]),
])
while (told < cookies.length * 4 && performance.now() - began < 10_000) await sleep(5)
console.log(`live-told ${told} of ${cookies.length * 4} in ${(performance.now() - began).toFixed(0)} ms`)

cut.abort()
child.disconnect()
await owner.destroy()
await postgres.stop()

async function addPerson(at: number): Promise<string> {
  const id = randomUUID()
  const person = { workspace_id: '1', id, email: `bench-${at}@acmebakery.example`, name: `Person ${at}` }
  await owner('portal.client_users').insert(person)
  const membership = { client_id: String(client), client_name: 'Acme Bakery', role: 'member' }
  await owner('portal.client_memberships').insert({ workspace_id: '1', person_id: id, ...membership })
  return id
}

async function sessionsOf(person: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  const sess = { workspace: '1', person, verifications: [{ by: 'password', at: Date.now() }], cookie: { path: '/' } }
  const rows = ids.map(it => ({
    sid: createHash('sha256').update(it).digest('base64url'),
    sess: JSON.stringify({ ...sess, used: Date.now() }),
    expire: new Date(Date.now() + 86_400_000),
  }))
  await owner('portal.client_sessions').insert(rows)
  return ids.map(it => `portico.sid=${encodeURIComponent(`s:${it}.${signatureOf(it)}`)}`)
}

/** As express-session signs it. */
function signatureOf(id: string) {
  const [key = ''] = cookieSecrets([secret])
  return createHmac('sha256', key).update(id).digest('base64').replace(/=+$/, '')
}

async function listen(cookie: string) {
  const answer = await fetch(`${portal}/brightside/live?of=documents`, { headers: { cookie }, signal: cut.signal })
  if (answer.status !== 200) throw new Error(`a stream was refused: ${answer.status}`)
  read(answer).catch(() => undefined)
}

async function read(answer: Response) {
  for await (const bytes of answer.body!) if (Buffer.from(bytes).includes('data: ')) told++
}

/** Of the instance: resident, in MB. */
function memory(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

/** Of the instance: seconds that it has used, at 100 ticks a second. */
function processor(): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function statements(): Promise<number> {
  const text = await (await fetch(`${portal}/-/metrics`)).text()
  return Number(/^portico_sql_statements_total (\d+)/m.exec(text)?.[1])
}
