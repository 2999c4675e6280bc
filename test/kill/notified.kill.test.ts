import { type ChildProcess, spawn } from 'node:child_process'
import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { portalUrl } from '../../demo/portal-database.ts'
import { type Copy, close, fresh, password, postgres, urlOf } from '../database.ts'
import { freePort } from '../free-port.ts'
import { isInstalled, nginx } from '../proxy/proxies.ts'
import { Visitor } from '../proxy/visitor.ts'
import { hiddenIn, settings as page } from '../requests.ts'
import { until } from '../until.ts'
import { whoIs } from '../visit.ts'

const kills = Number(process.env.PORTICO_KILLS ?? 3)
/** Each tells everybody at the client. */
const many = Number(process.env.PORTICO_NOTICES ?? Math.max(400, kills * 60))
const files = mkdtempSync(join(tmpdir(), 'portico-files-'))

/** Behind nginx as the guide says where it is installed, else asked in turn. */
const isProxied = isInstalled('nginx')

describe(`notifications that two instances${isProxied ? ' behind nginx' : ''} send while they are killed`, function () {
  this.timeout(300_000 + many * 200 + kills * 10_000)
  const started: (Instance | undefined)[] = []

  afterEach(() => {
    for (const it of started.splice(0)) it?.child.kill('SIGKILL')
  })

  it('reach everybody once, are mailed once, and pushed at least once, with the same tag', async () => {
    const copy = await fresh()
    await postgres.raw(`alter database ${copy.name} set synchronous_commit = on`)
    const service = await pushService()
    await subscribe(copy, service.address)
    const ports = [await freePort(), await freePort()]
    for (const port of ports) started.push(await start(copy, port))
    const admin = isProxied ? await behindNginx(ports) : inTurn(ports)
    const { email, password: its } = whoIs('admin')
    await admin.post('/login', { email, password: its })
    const ids = Array.from({ length: many }, () => randomUUID())
    let done = 0
    const killing = async () => {
      for (let at = 1; at <= kills; at++) {
        await until(() => done >= (many * at) / (kills + 1), 120)
        await replace(copy, started, at % 2)
      }
    }
    const telling = async (half: number) => {
      for (const [at, id] of ids.entries()) {
        if (at % 2 !== half) continue
        await until(() => send(admin, id, at), 90)
        done++
      }
    }
    await Promise.all([killing(), telling(0), telling(1)])
    await lost(copy)
    const { owner } = copy
    const left = () => owner('portal.client_notification_messages').whereNull('sent_at').whereNull('failed_at')
    await until(async () => {
      await lost(copy, 30)
      await owner('portal_jobs.job')
        .where({ name: 'plugins', state: 'retry' })
        .update({ start_after: new Date(0) })
      return (await left()).length === 0
    }, 240)

    const told = await owner('portal.client_notifications').where({ kind: 'requests.sent' })
    const people = new Set(told.map(it => it.person_id)).size
    expect(people).to.be.above(1)
    expect(told).to.have.length(many * people)
    expect(told.filter(it => it.count !== 1)).to.deep.equal([])
    const mails = await owner('portal.client_outbox').where({ kind: 'requests.sent' })
    expect(mails).to.have.length(many * people)
    expect(new Set(mails.map(it => `${it.person_id} ${it.subject}`)).size).to.equal(mails.length)
    expect(service.topics.size).to.equal(many)
    const again = [...service.topics.values()].filter(it => it > 1).length
    console.log(
      `      ${told.length} notifications by ${many} requests, ${kills} kills; ${again} pushed more than once`,
    )
    await admin.end()
    for (const it of started.splice(0)) await end(it!)
    service.close()
    await close(copy)
  })
})

/** Counts what it is sent, by topic. */
async function pushService() {
  const topics = new Map<string, number>()
  const server = createServer((req, res) => {
    const topic = String(req.headers.topic)
    topics.set(topic, (topics.get(topic) ?? 0) + 1)
    req.resume().once('end', () => res.writeHead(201).end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/owner`
  return { topics, address, close: () => server.close() }
}

async function subscribe({ owner }: Copy, endpoint: string) {
  const { id } = await owner('portal.client_users')
    .where({ email: whoIs('owner').email })
    .first('id')
  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64'), auth: randomBytes(16).toString('base64url') }
  await owner('portal.client_push_devices').insert({
    ...{ workspace_id: '1', person_id: id, endpoint, label: 'Phone' },
    ...{ p256dh: Buffer.from(keys.p256dh, 'base64').toString('base64url'), auth: keys.auth },
  })
}

/** An admin's browser. */
interface Browser {
  post(path: string, form: Record<string, string>): Promise<{ status: number; text: string }>
  end(): Promise<void>
}

async function behindNginx(ports: string[]): Promise<Browser> {
  const proxy = await nginx(ports)
  const visitor = new Visitor(proxy)
  return {
    post: (path, form) => visitor.post(path, form),
    async end() {
      visitor.end()
      await proxy.end()
    },
  }
}

function inTurn(ports: string[]): Browser {
  let turn = 0
  let cookie = ''
  return {
    async post(path, form) {
      const address = `http://127.0.0.1:${ports[turn++ % ports.length]}${path}`
      const body = new URLSearchParams(form)
      const answer = await fetch(address, { method: 'POST', redirect: 'manual', headers: { cookie }, body })
      const set = answer.headers.getSetCookie().map(it => it.split(';')[0])
      if (set.length) cookie = set.join('; ')
      return { status: answer.status, text: await answer.text() }
    },
    end: async () => undefined,
  }
}

/** Sends the request: the same id is the same request. Throws what was answered instead. */
async function send(admin: Browser, id: string, at: number): Promise<true> {
  const form = { id, name: `List ${at}`, about: '', items: 'Bank statements', dueOn: '', whom: 'chosen', client: '1' }
  const shown = await admin.post(`${page}/new`, { ...form, step: 'preview' })
  const { seen = '' } = hiddenIn(shown.text)
  const { status, text } = await admin.post(page, { ...form, seen })
  if (status !== 303) throw new Error(`Request ${at} was answered ${status}: ${text.slice(0, 500)}`)
  return true
}

interface Instance {
  port: string
  child: ChildProcess
}

async function start({ name }: Copy, port: string): Promise<Instance> {
  const url = urlOf(name)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts')], {
    env: {
      ...process.env,
      ...{ OWNER_URL: url, PORTAL_URL: portalUrl(url, password), LOOPBACK: 'yes', FILES_FOLDER: files, PORT: port },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ready = once(createInterface({ input: child.stdout! }), 'line')
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The portal at ${port} ended before it listened: ${code ?? signal}`)
  })
  await Promise.race([ready, ended])
  ended.catch(() => undefined)
  return { port, child }
}

async function replace(copy: Copy, started: (Instance | undefined)[], at: number) {
  const killed = started[at]!
  started[at] = undefined
  await end(killed)
  await lost(copy)
  started[at] = await start(copy, killed.port)
}

async function end({ child }: Instance) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** What pg-boss does with the jobs of a process that is gone, once their time is over: those that began this long ago. */
const lost = ({ owner }: Copy, seconds = 0) =>
  owner.raw(
    `update portal_jobs.job set state = 'retry', start_after = now()
     where state = 'active' and started_on <= now() - make_interval(secs => ?)`,
    [seconds],
  )
