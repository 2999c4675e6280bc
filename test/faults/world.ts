import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import knex from 'knex'
import { migrateCrm } from '../../demo/crm/migrate.ts'
import { seedCrm } from '../../demo/crm/seed.ts'
import { portalUrl, preparePortal, role } from '../../demo/portal-database.ts'
import { addStaff } from '../../src/serve/staff.ts'
import { freePort } from '../free-port.ts'
import { until } from '../until.ts'
import { endLater } from './children.ts'
import { Client, Colleague, Crowd } from './client.ts'
import { Disk } from './disk.ts'
import { Instance } from './instance.ts'
import { Journal } from './journal.ts'
import { startNginx } from './nginx.ts'
import { addPeople, addProposals } from './people.ts'
import { startPgBouncer } from './pgbouncer.ts'
import { PostOffice } from './post-office.ts'
import { Server } from './server.ts'

export interface Size {
  clients: number
  seconds: number
}

const password = 'only-in-tests'
const colleague = { name: 'Robin', email: 'robin@brightside.example', password: 'seven quiet boats before breakfast' }

export type World = Awaited<ReturnType<typeof openWorld>>

/** Two instances behind nginx and PgBouncer, on a PostgreSQL of their own, with clients who are signed in. */
export async function openWorld({ clients, seconds }: Size) {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'))
  const disk = Disk.mounted(500 + 20 * seconds)
  const server = new Server(disk ? disk.data : join(folder, 'postgres'))
  const journal = new Journal()
  const post = new PostOffice()
  const smtp = await post.open()
  await server.start()
  const { owner, portal } = await prepare(server)
  const pooler = await poolerOf(server)
  const [portA, portB] = [Number(await freePort()), Number(await freePort())]
  const env = {
    ...{ CUSTOMER_PORTAL_ENABLED: 'true', PREPARED_STATEMENTS: 'false', TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'warn' },
    ...{ PORTAL_SECRET: 'a secret of at least thirty-two characters', STOP_NOTICE: '1', NODE_ENV: 'production' },
    ...{
      DATABASE_URL: server.url,
      PORTAL_DATABASE_URL: pooler.url,
      DIRECT_DATABASE_URL: portalUrl(server.url, password),
      SMTP_URL: smtp,
      MAIL_FROM: 'portal@faults.example',
    },
  }
  const nginx = await startNginx([portA, portB])
  const address = `http://127.0.0.1:${nginx.port}`
  const logs = [join(folder, 'a.log'), join(folder, 'b.log')]
  const instances = [portA, portB].map(
    (port, at) => new Instance(port, { ...env, PORTAL_ADDRESS: `${address}/portal` }, logs[at]!),
  ) as [Instance, Instance]
  await Promise.all(instances.map(it => it.start()))

  const people = await addPeople(owner, portal, clients)
  const place = { port: nginx.port, journal, post }
  const crowd = people.map((it, at) => new Client(place, it, at))
  const robin = new Colleague(place)
  await addStaff(portal, { id: '1', slug: 'brightside' } as never, { ...colleague, admin: true })
  await robin.signIn(colleague.email, colleague.password)
  await allSignedIn(crowd)

  const world = {
    ...{ address, clients: crowd, colleague: robin, disk, folder, instances, journal, nginx, owner, pooler, portal },
    ...{ post, server, seconds },
    crowd: new Crowd([...crowd, robin], () => 500 + Math.random() * 1_000),

    /** Enough proposals for everybody to answer for so many seconds. */
    async refill() {
      const each = Math.ceil(seconds / 4) + 3
      const few = crowd.filter(it => it.open.length < each)
      const made = await addProposals(
        owner,
        few.map(it => it.person),
        each,
      )
      for (const it of few) it.open.push(...(made.get(it.person.client.id) ?? []))
    },

    /** Milliseconds from now until a page comes by nginx, and from each of these instances. */
    async recovery(of: Instance[] = instances): Promise<number> {
      const began = performance.now()
      const cookie = crowd[0]?.devices[0]?.cookie ?? ''
      const places = [address, ...of.map(it => `http://127.0.0.1:${it.port}`)]
      await Promise.all(places.map(it => answersAt(it, cookie)))
      return performance.now() - began
    },

    logged: () => logs.map(it => readFileSync(it, 'utf8')).join(''),

    async close() {
      for (const it of [...crowd, robin]) it.close()
      await Promise.all(instances.map(it => it.kill()))
      await nginx.stop()
      await Promise.all([owner.destroy(), portal.destroy()])
      await pooler.kill()
      await server.stop('fast')
      await post.close()
      disk?.remove()
      for (const it of [folder, nginx.folder]) rmSync(it, { recursive: true, force: true })
    },
  }
  return world
}

/** That its connections end is meant. */
const quiet = { warn() {}, error() {}, deprecate() {}, debug() {} }

async function prepare(server: Server) {
  const connection = server.url
  // The log takes less room than the disk has.
  for (const it of [`max_wal_size = '128MB'`, `min_wal_size = '64MB'`]) await server.query(`alter system set ${it}`)
  await server.query('select pg_reload_conf()')
  const owner = knex({ client: 'pg', connection, pool: { min: 0, max: 4 }, log: quiet })
  await migrateCrm(owner)
  await seedCrm(owner, { today: new Date().toISOString().slice(0, 10) })
  await preparePortal(owner, password)
  const portal = knex({
    client: 'pg',
    connection: portalUrl(connection, password),
    pool: { min: 0, max: 4 },
    log: quiet,
  })
  return { owner, portal }
}

/** A PgBouncer that is killed and started again at the same place. */
async function poolerOf(server: Server) {
  const port = Number(await freePort())
  const start = () => startPgBouncer({ port, url: server.url, user: role, password, size: 20 })
  let child: ChildProcess = await start()
  endLater(child)
  return {
    url: portalUrl(Object.assign(new URL(server.url), { port }).href, password),
    async start() {
      child = await start()
      endLater(child)
    },
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function allSignedIn(clients: Client[]) {
  const signedIn = await Promise.all(clients.map(it => it.signIn()))
  const failed = signedIn.filter(it => !it).length
  if (failed) throw new Error(`${failed} of ${clients.length} clients could not sign in`)
}

/** Asks every 25 milliseconds, and waits for no more than four answers at once, until a page comes. */
async function answersAt(place: string, cookie: string) {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(120_000)])
  let good = false
  let waiting = 0
  const ask = async () => {
    const answer = await fetch(`${place}/portal/brightside/account`, {
      headers: { cookie },
      redirect: 'manual',
      signal,
    })
    if (answer.status === 200) good = true
    await answer.arrayBuffer()
  }
  while (!good && !signal.aborted) {
    if (waiting < 4) {
      waiting++
      ask()
        .catch(() => undefined)
        .finally(() => waiting--)
    }
    await sleep(25)
  }
  over.abort()
}

/** Until every mail has left and all is sealed. Jobs that wait for another try are tried at once. */
export async function drained({ instances, owner, seconds }: World) {
  await Promise.all(instances.map(it => it.stop()))
  // What the queue does with jobs of a process that is gone, once their two minutes are over.
  await owner.raw(
    `update portal_jobs.job set state = 'retry', start_after = now() where state in ('active', 'retry')
     and name in ('mail', 'mail-first', 'submissions')`,
  )
  await Promise.all(instances.map(it => it.start()))
  await until(
    async () => {
      const { rows } = await owner.raw(
        `select (select count(*) from portal.client_outbox where recipient <> '' and sent_at is null and failed_at is null)
            + (select count(*) from portal.client_signatures where act = 'accepted' and sealed is null) as waiting`,
      )
      return Number(rows[0].waiting) === 0
    },
    120 + seconds * 12,
  )
}
