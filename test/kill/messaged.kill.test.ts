import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Knex } from 'knex'
import { portalUrl } from '../../demo/portal-database.ts'
import { type Copy, close, fresh, password, postgres, setClock, today, urlOf } from '../database.ts'
import { inbox } from '../messages.ts'
import { until } from '../until.ts'
import { type Role, whoIs } from '../visit.ts'

const kills = Number(process.env.PORTICO_KILLS ?? 3)
const many = Number(process.env.PORTICO_MESSAGES ?? Math.max(300, kills * 60))
const titles = ['Gift box', 'Labels', 'Ribbons']
const writers: Role[] = ['owner', 'billing', 'member', 'admin']
/** They take part, and neither write nor read. */
const followers: Role[] = ['approver', 'viewer']

interface Message {
  thread: string
  id: string
  text: string
  acknowledged?: true
}

describe('conversations in which four people write while processes are killed', function () {
  this.timeout(180_000 + many * 100 + kills * 10_000)
  const started: (Instance | undefined)[] = []

  afterEach(() => {
    for (const it of started.splice(0)) it?.child.kill('SIGKILL')
  })

  it('have every message once and in its order, and everybody is told of each once', async () => {
    const copy = await fresh()
    await postgres.raw(`alter database ${copy.name} set synchronous_commit = on`)
    started.push(await start(copy), await start(copy))
    const cookies = await signInAll(started[0]!.url)
    const threads = await Promise.all(titles.map(it => begin(started[0]!.url, cookies, it)))
    const all = writers.map((role, at) => ({ role, at, messages: messagesOf(role, threads) }))
    const messages = all.flatMap(it => it.messages)
    const acknowledged = () => messages.filter(it => it.acknowledged).length

    const time = passing(copy)
    const before: number[] = []
    const killing = async () => {
      while (before.length < kills && acknowledged() < messages.length) {
        await until(() => acknowledged() >= Math.min(messages.length, (many * (before.length + 1)) / (kills + 1)), 60)
        if (acknowledged() === messages.length) break
        before.push(acknowledged())
        await replace(copy, started, before.length % 2)
      }
    }
    await Promise.all([killing(), ...all.map(it => sendAll(it, cookies[it.role]!, () => started))])
    await time.end()
    await told(copy)

    for (const [at, thread] of threads.entries()) await isWhole(copy.owner, thread, titles[at]!, all)
    const events = ['messages.begun', 'messages.written', 'messages.answered']
    const logged = await copy
      .owner('portal.client_activity_logs')
      .whereIn('event', events)
      .whereIn('subject_id', threads)
    expect(logged).to.have.length(messages.length + threads.length)
    const mails = await copy.owner('portal.client_outbox').where({ kind: 'messages.received' })
    console.log(`      killed after ${before.join(', ')} of ${many} messages, which ${mails.length} mails told of`)
    for (const it of started.splice(0)) await end(it!)
    await close(copy)
  })
})

/** Everybody writes in every conversation. */
const messagesOf = (role: Role, threads: string[]) =>
  Array.from(
    { length: Math.ceil(many / writers.length) },
    (_, at): Message => ({
      ...{ thread: threads[at % threads.length]!, id: randomUUID(), text: `${role} ${String(at).padStart(5, '0')}` },
    }),
  )

/** One conversation, as it stands in the table, and what was mailed of it. */
async function isWhole(owner: Knex, thread: string, title: string, all: { role: Role; messages: Message[] }[]) {
  const rows = await owner('portal.client_messages').where({ thread_id: thread }).orderBy('seq')
  expect(rows.map(it => it.seq)).to.deep.equal(rows.map((_, at) => at + 1))
  for (const { role, messages } of all) {
    const sent = messages.filter(it => it.thread === thread)
    const stored = rows.filter(it => it.text.startsWith(`${role} `))
    expect(stored.map(it => [it.id, it.text])).to.deep.equal(sent.map(it => [it.id, it.text]))
  }
  const { last_seq: last } = await owner('portal.client_message_threads').where({ id: thread }).first('last_seq')
  expect(last).to.equal(rows.length)

  const readers = await owner('portal.client_message_readers').where({ thread_id: thread, kind: 'client' })
  expect(readers).to.have.length(followers.length + 3)
  for (const { person_id: person, wrote, read_to: read, told_to: told } of readers) {
    const mails = await owner('portal.client_outbox').where({ kind: 'messages.received', person_id: person })
    const counts = mails.map(it => countIn(it.subject, title))
    const counted = counts.reduce((sum, it) => sum + it, 0)
    const others = rows.filter(it => it.author_id !== person)
    if (!wrote) expect([counted, told, read]).to.deep.equal([last - 1, last, 1])
    expect(counted).to.be.at.most(others.length)
    expect(Math.max(read, told)).to.be.at.least(others.at(-1).seq)
  }
}

/** Of how many messages of this conversation a mail tells. */
function countIn(subject: string, title: string): number {
  const [, several] = new RegExp(`^${title}: (\\d+) new messages$`).exec(subject) ?? []
  return Number(several ?? (subject.endsWith(`: ${title}`) ? 1 : 0))
}

/** Lets two minutes go by in each second, so that people are told while others write. */
function passing({ owner }: Copy) {
  let over = false
  const from = Date.parse(`${today}T08:00:00Z`)
  const go = async () => {
    for (let at = 1; !over; at++) {
      await setClock(owner, new Date(from + at * 120_000))
      await due(owner)
      await sleep(1_000)
    }
  }
  const going = go()
  return {
    async end() {
      over = true
      await going
    },
  }
}

const due = (owner: Knex) =>
  owner('portal_jobs.job')
    .where({ name: 'plugins', state: 'created' })
    .update({ start_after: new Date(0) })

/** Until all that is to be mailed is. */
async function told({ owner }: Copy) {
  const [{ now }] = (await owner.raw('select portal.now()')).rows
  await setClock(owner, new Date(now.getTime() + 11 * 60_000))
  const left = () =>
    owner('portal_jobs.job')
      .where({ name: 'plugins' })
      .whereIn('state', ['created', 'retry', 'active'])
      .whereRaw(`data ->> 'job' = 'messages.tell'`)
  await lost(owner)
  await until(async () => {
    await due(owner)
    return (await left()).length === 0
  }, 120)
}

/** What pg-boss does with the jobs of a process that is gone, once their time is over. */
const lost = (owner: Knex) =>
  owner.raw(`update portal_jobs.job set state = 'retry', start_after = now() where state = 'active'`)

interface Instance {
  url: string
  child: ChildProcess
}

async function replace(copy: Copy, started: (Instance | undefined)[], at: number) {
  const killed = started[at]!
  started[at] = undefined
  await end(killed)
  await lost(copy.owner)
  started[at] = await start(copy)
}

async function end({ child }: Instance) {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** One message after the other, at one instance and the other by turns; what got no answer is sent again. */
async function sendAll(
  { role, at, messages }: { role: Role; at: number; messages: Message[] },
  cookie: string,
  instances: () => (Instance | undefined)[],
) {
  let turn = at
  for (const it of messages)
    while (!it.acknowledged) {
      const url = instances()[turn++ % 2]?.url
      if (url && (await sendOne(url, { role, cookie }, it))) it.acknowledged = true
      await sleep(Math.random() * 150)
    }
}

async function sendOne(url: string, { role, cookie }: { role: Role; cookie: string }, it: Message): Promise<boolean> {
  const isStaff = whoIs(role).kind === 'staff'
  const home = isStaff ? inbox : '/portal/brightside/messages'
  const form = { id: it.id, text: it.text }
  const answer = await post(`${url}${home}/${it.thread}/messages`, form, cookie).catch(() => undefined)
  // Too many within a minute.
  if (!answer || answer.status === 429) return false
  expect(answer.status).to.equal(303)
  return true
}

/** A conversation that the owner begins, and who follows it. */
async function begin(url: string, cookies: Record<string, string>, title: string): Promise<string> {
  const home = `${url}/portal/brightside/messages`
  const { headers } = await post(home, { id: randomUUID(), title, text: 'Hello.' }, cookies.owner)
  const [, thread = ''] = /messages\/([0-9a-f-]{36})/.exec(headers.get('location') ?? '') ?? []
  for (const it of followers) {
    const { status } = await post(`${home}/${thread}/follow`, { on: 'on' }, cookies[it])
    expect(status).to.equal(303)
  }
  return thread
}

async function signInAll(url: string): Promise<Record<string, string>> {
  const cookies = [...writers, ...followers].map(async role => {
    const { email, password, kind } = whoIs(role)
    const door = kind === 'staff' ? '/login' : '/portal/brightside/sign-in'
    const { status, headers } = await post(url + door, { email, password })
    expect(status).to.equal(303)
    return [
      role,
      headers
        .getSetCookie()
        .map(it => it.split(';')[0])
        .join('; '),
    ]
  })
  return Object.fromEntries(await Promise.all(cookies))
}

const post = (address: string, form: Record<string, string>, cookie = '') =>
  fetch(address, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(form) })

async function start({ name }: Copy): Promise<Instance> {
  const url = urlOf(name)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
    env: { ...process.env, OWNER_URL: url, PORTAL_URL: portalUrl(url, password) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface({ input: child.stdout! }), 'line')
  return { url: `http://127.0.0.1:${port}`, child }
}
