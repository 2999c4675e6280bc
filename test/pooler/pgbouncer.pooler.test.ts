import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { SMTPServer } from 'smtp-server'
import { connectPortal } from '../../demo/portal-database.ts'
import { tellSignal } from '../../src/platform/events.ts'
import { root } from '../../src/platform/root.ts'
import { type Copy, fresh, urlOf } from '../database.ts'
import { freePort } from '../free-port.ts'
import { jo, Kite } from '../kite/kite.ts'
import { closeServers, hear, listening } from '../listening.ts'
import { Browser } from '../package/host.ts'
import { until } from '../until.ts'
import { leave, open, type Role } from '../visit.ts'

/** Connections shared by the transaction, by a PgBouncer that keeps no names (before 1.21). */
describe('behind PgBouncer', () => {
  let pooler: ChildProcess
  let port: number
  let copy: Copy

  beforeEach(async function () {
    this.timeout(30_000)
    copy = await fresh()
    port = Number(await freePort())
    pooler = await start(port, { database: copy.name, user: 'portico_app' })
  })
  afterEach(async () => {
    await leave()
    await stop(pooler)
  })

  const through = () => {
    const url = Object.assign(new URL(urlOf(copy.name)), { port })
    return { ...copy, database: connectPortal(url.href, 'only-in-tests', { min: 0, max: 20 }) }
  }

  it('many clients at once read their own things and nobody else’s, on two shared connections', async () => {
    const { visit } = await open({ on: through(), preparedStatements: false })
    const people = await Promise.all(
      (['owner', 'billing', 'neighbour', 'stranger', 'busy'] as Role[]).map(it => visit(it)),
    )
    const pages = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const it = people[n % people.length]!
        const [list, home] = [await it.get('/invoices'), await it.get('/')]
        return { name: it.person!.name, client: it.person!.client!, list, home }
      }),
    )
    for (const { client, list, home } of pages) {
      expect(list.status).to.equal(200)
      for (const it of [list, home]) expect(it).to.show(client.replace('&', '&amp;'))
      for (const other of pages.filter(it => it.client !== client)) {
        expect(home).to.not.show(`<b>${other.name}</b>`)
      }
    }
  }).timeout(60_000)

  it('open pages listen past the pooler, and where there is no such address they do not, and work', async () => {
    const { visit, log } = await open({ on: through(), preparedStatements: false })
    const owner = await visit('owner')
    expect(await owner.get('/documents')).to.show('Documents')
    expect((await owner.get('/live?of=documents')).status).to.equal(503)
    expect(log.map(it => it.sentence).join()).to.include('pages do not refresh by themselves')
    const past = await open({ on: through(), directDatabase: copy.database, preparedStatements: false })
    const origin = await listening(past.app)
    const page = await hear(`${origin}/portal/brightside/live?of=documents`, owner.cookie)
    expect(page.status).to.equal(200)
    await owner.agent
      .post('/portal/brightside/documents')
      .attach('files', Buffer.from('%PDF-1.7\n%%EOF\n'), { filename: 'a.pdf' })
    expect(await page.told(1)).to.deep.equal(['documents'])

    const admin = await visit('admin')
    expect((await admin.at('/settings/client-portal/live?of=documents')).status).to.equal(503)
    const desk = await hear(`${origin}/settings/client-portal/live?of=documents`, admin.cookie)
    expect(desk.status).to.equal(200)
    const by = { kind: 'staff', id: '0', name: 'Jonas' } as const
    const where = { workspace: '1', client: '1', section: 'documents', id: '12' }
    await tellSignal(past.database, { ...where, by })
    await until(() => page.signals.length && desk.signals.length)
    expect([page.signals, desk.signals]).to.deep.equal(Array(2).fill([{ of: 'documents/12', name: 'Jonas' }]))
    closeServers()
  }).timeout(60_000)
})

describe('portico serve behind PgBouncer', function () {
  this.timeout(60_000)
  let kite: Kite
  let pooler: ChildProcess
  let env: NodeJS.ProcessEnv
  let mails: { url: string; taken: string[]; close(): void }

  before(async () => {
    kite = await Kite.prepared('pooled')
    const port = Number(await freePort())
    pooler = await start(port, { database: 'pooled', user: kite.role })
    mails = await mailServer()
    env = {
      PORTAL_DATABASE_URL: Object.assign(kite.portalUrl(), { port }).href,
      SMTP_URL: mails.url,
      MAIL_FROM: 'portal@kite.example',
    }
  })
  after(async () => {
    await kite.end()
    await stop(pooler)
    mails.close()
  })

  const direct = () => Object.assign(kite.portalUrl(), { search: '?application_name=queue' }).href

  /** Thirty requests of three browsers, pages all at once, and a mail. */
  async function use(port: string) {
    const home = `http://127.0.0.1:${port}`
    const browsers = [1, 2, 3].map(() => new Browser(home))
    const statuses: number[] = []
    for (const it of browsers) statuses.push((await it.post('/portal/kite/sign-in', jo)).status)
    const pages = browsers.flatMap(it =>
      ['/', '/invoices', '/account'].flatMap(page => [page, page, page].map(page => it.get(`/portal/kite${page}`))),
    )
    for (const it of await Promise.all(pages)) statuses.push(it.status)
    mails.taken.length = 0
    await new Browser(home).post('/portal/kite/forgot-password', { email: jo.email })
    return { statuses, mail: await until(() => mails.taken.find(it => it.includes('Choose a new password'))) }
  }

  const good = [...Array(3).fill(303), ...Array(27).fill(200)]

  it('answers thirty of thirty requests, and does its jobs past the pooler', async () => {
    const { child, port } = await kite.serve({ ...env, PREPARED_STATEMENTS: 'false', DIRECT_DATABASE_URL: direct() })
    const { statuses, mail } = await use(port)
    expect(statuses).to.deep.equal(good)
    expect(mail).to.include(`To: ${jo.email}`)
    const ofQueue = await kite.owner('pg_stat_activity').where({ application_name: 'queue' }).select('query')
    expect(ofQueue.map(it => it.query).join()).to.include('portal_jobs')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).to.deep.equal([0, null])
  })

  it('does its jobs through the pooler where it has no other address', async () => {
    const { child, port } = await kite.serve({ ...env, PREPARED_STATEMENTS: 'false' })
    const { statuses } = await use(port)
    expect(statuses).to.deep.equal(good)
    child.kill('SIGKILL')
  })

  it('refuses to start where statements would fail, and says what to set', async () => {
    const error = await kite.serve(env).then(
      () => undefined,
      it => it,
    )
    expect(String(error))
      .to.include('behind a pooler that does not keep prepared statements')
      .and.include('Set PREPARED_STATEMENTS=false.')
  })

  it('warns where the direct address leads to the pooler as well', async () => {
    const more = { PREPARED_STATEMENTS: 'false', DIRECT_DATABASE_URL: env.PORTAL_DATABASE_URL }
    const { child, said } = await kite.serve({ ...env, ...more })
    expect(said()).to.include('DIRECT_DATABASE_URL leads to a pooler as well')
    child.kill('SIGKILL')
  })

  it('says that open pages do not refresh by themselves, unless there is a direct address', async () => {
    const said = (more: NodeJS.ProcessEnv) =>
      kite.run('doctor --map crm.map.ts', { ...env, PREPARED_STATEMENTS: 'false', ...more }).catch(String)
    expect(await said({})).to.include('Open pages do not refresh by themselves: the database is behind a pooler')
    expect(await said({ DIRECT_DATABASE_URL: direct() })).to.not.include('refresh by themselves')
  })

  it('runs its commands through the pooler', async () => {
    const more = { ...env, PREPARED_STATEMENTS: 'false' }
    const invite = `invite --crm-password --workspace kite --client 1 --email ${jo.email} --map crm.map.ts`
    for (let at = 0; at < 3; at++) expect(await kite.run(invite, more)).to.include('can sign in at')
  })
})

/** A real one; `taken` is the text of what it was sent. */
async function mailServer() {
  const taken: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, next) {
      Array.fromAsync(stream).then(parts => {
        taken.push(Buffer.concat(parts).toString())
        next()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return { taken, url: `smtp://127.0.0.1:${port}`, close: () => server.close() }
}

/** PgBouncer as docs/operations.md has it, with other addresses and, for less, two connections. */
async function start(port: number, { database, user }: { database: string; user: string }): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'pooler-'))
  const { hostname, port: behind } = new URL(urlOf(database))
  const users = join(folder, 'users')
  writeFileSync(users, `"${user}" "only-in-tests"\n`)
  const guide = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const [, example = ''] = /```ini\n(.*?)```/s.exec(guide) ?? []
  const settings = example
    .replace(/^kite = .*$/m, `${database} = host=${hostname} port=${behind}`)
    .replace(/^listen_port = .*$/m, `listen_port = ${port}\nunix_socket_dir =`)
    .replace(/^auth_file = .*$/m, `auth_file = ${users}`)
    .replace(/^default_pool_size = .*$/m, 'default_pool_size = 2')
  writeFileSync(join(folder, 'settings'), settings)
  chmodSync(folder, 0o755)
  const isRoot = process.getuid?.() === 0
  const asOther = isRoot
    ? { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) }
    : {}
  const pooler = spawn('pgbouncer', [join(folder, 'settings')], { stdio: 'ignore', ...asOther })
  pooler.once('exit', () => rmSync(folder, { recursive: true }))
  await until(() => answers(port))
  return pooler
}

async function stop(pooler: ChildProcess) {
  pooler.kill('SIGTERM')
  await once(pooler, 'exit')
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.unref()
  })
