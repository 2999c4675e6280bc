import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Express } from 'express'
import knex, { type Knex } from 'knex'
import { pino } from 'pino'
import {
  createPortal,
  filesIn,
  flagsFromEnvironment,
  limitConnections,
  repliesFromEnvironment,
  stopGracefully,
} from '../src/index.ts'
import { replaceLostSecret, secretsFit } from '../src/platform/secrets.ts'
import { adapter } from './adapter/adapter.ts'
import { createCrm } from './crm/app.ts'
import { migrateCrm } from './crm/migrate.ts'
import { growCrm, large } from './crm/seed/large.ts'
import { seedCrm } from './crm/seed.ts'
import { beside, mount, staff } from './mount.ts'
import { keptMail } from './outbox.ts'
import { openBank } from './payments.ts'
import { connectBank, connectPortal, fillPortal, passwordFrom } from './portal-database.ts'

export { FormerVersion, NewerRelease } from '../src/platform/migrations.ts'

interface Options {
  databaseUrl: string
  port: number
  data: string
  size?: 'usual' | 'large'
  /** Without one, mails are kept and shown at /-/outbox. */
  smtpUrl?: string
  log(line: string): void
}

interface Demo {
  close(): Promise<void>
}

/** The demo CRM with Portico in it: migrated, seeded once, and listening when this resolves. */
export async function openDemo(options: Options): Promise<Demo> {
  const { databaseUrl, port, data } = options
  const secret = await secretIn(data)
  const pools = connect(databaseUrl, secret)
  const { owner, database } = pools
  const disconnect = () => Promise.all([owner.destroy(), database.destroy()])
  await writeFile(join(data, 'database-url'), databaseUrl, { mode: 0o600 })
  try {
    await prepare(pools, secret, options)
  } catch (error) {
    await disconnect()
    throw error
  }
  const workspaces = await connectBank(owner, database, secret)
  const bank = openBank({ port, data, secret, workspaces })
  const { app, portal } = await createApp(pools, secret, { ...options, bank })
  const servers = [createServer(app), createServer(app)].map(limitConnections)
  const close = async () => {
    await stopGracefully({ servers, portal, notice: 0, limit: 5 })
    await bank.close()
    await disconnect()
  }
  try {
    await listen(servers[0]!, port, '127.0.0.1')
    // Browsers try this one first for "localhost". Some machines have no IPv6.
    await listen(servers[1]!, port, '::1').catch(() => undefined)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

interface Pools {
  /** The CRM's own role, which owns its tables. */
  owner: Knex
  /** The portal's role. */
  database: Knex
}

function connect(databaseUrl: string, secret: string): Pools {
  const pool = { min: 0, max: 10 }
  const owner = knex({ client: 'pg', connection: databaseUrl, pool, acquireConnectionTimeout: 5_000 })
  return { owner, database: connectPortal(databaseUrl, passwordFrom(secret)) }
}

interface AppOptions extends Options {
  bank: ReturnType<typeof openBank>
}

async function createApp({ owner, database }: Pools, secret: string, { port, data, smtpUrl, bank }: AppOptions) {
  const outbox = keptMail(data)
  const portal = await createPortal({
    database,
    crm: adapter(database),
    ...(await flagsAndLog()),
    staff,
    secrets: [secret],
    address: `http://localhost:${port}/portal`,
    mail: { from: 'portal@tandem.example', ...(smtpUrl ? { url: smtpUrl } : { send: outbox.send }) },
    replies: repliesFromEnvironment(process.env),
    files: filesIn(join(data, 'files')),
    scanner: process.env.CLAMAV_URL || undefined,
    geoip: process.env.GEOIP_DATABASE || undefined,
  })
  const mounted = mount(portal)
  const early = (app: Express) => {
    if (!smtpUrl) outbox.show(app)
    bank.mount(app)
    mounted.early(app)
  }
  const app = createCrm({
    database: owner,
    secret: `crm ${secret}`,
    links: [{ href: '/settings/client-portal', label: 'Client portal' }],
    beside: beside(portal),
    mount: { ...mounted, early },
  })
  return { app, portal }
}

/** The portal is enabled for every workspace unless the environment or flags.json says otherwise. */
async function flagsAndLog() {
  const environment = { ...process.env }
  if (!existsSync('flags.json')) environment.CUSTOMER_PORTAL_ENABLED ??= 'true'
  const log = pino({ level: environment.LOG_LEVEL ?? 'warn' })
  const flags = await flagsFromEnvironment(environment, {
    warn: err => log.warn({ err }, 'the feature flag could not be read; the last known state holds'),
  })
  return { flags, log }
}

async function listen(server: Server, port: number, host: string) {
  server.listen(port, host)
  await once(server, 'listening')
}

async function prepare({ owner, database }: Pools, secret: string, { data, size, log }: Options) {
  await migrateCrm(owner)
  const [seeded] = await owner('workspaces').select('id').limit(1)
  if (!seeded) {
    log('Filling the demo CRM with five companies …')
    await seedCrm(owner, { today: new Date().toISOString().slice(0, 10) })
    if (size === 'large') {
      log('And with 100,000 clients and 10,000,000 invoices, which takes some minutes …')
      await growCrm(owner, large)
    }
  }
  await fillPortal(owner, database, { password: passwordFrom(secret), files: filesIn(join(data, 'files')) })
  // A data folder that was deleted took its secret along: what that secret sealed cannot be read any more.
  if (!(await secretsFit(database, [secret]))) await replaceLostSecret(owner, secret)
}

/** Signs cookies, and stays the same over a restart. */
async function secretIn(data: string): Promise<string> {
  await mkdir(data, { recursive: true })
  const file = join(data, 'secret')
  await writeFile(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 }).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  return readFile(file, 'utf8')
}
