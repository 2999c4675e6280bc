import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Express } from 'express'
import knex, { type Knex } from 'knex'
import { pino } from 'pino'
import { createPortal, flagsFromEnvironment, limitConnections, stopGracefully } from '../src/index.ts'
import { replaceLostSecret, secretsFit } from '../src/secrets.ts'
import { adapter } from './adapter/adapter.ts'
import { createCrm } from './crm/app.ts'
import { migrateCrm } from './crm/migrate.ts'
import { growCrm, large } from './crm/seed/large.ts'
import { seedCrm } from './crm/seed.ts'
import { beside, mount, staff } from './mount.ts'
import { keptMail } from './outbox.ts'
import { connectPortal, passwordFrom, preparePortal, seedAccounts } from './portal-database.ts'

export { NewerRelease } from '../src/migrations.ts'

interface Options {
  databaseUrl: string
  port: number
  data: string
  size?: 'usual' | 'large'
  /** Without one, mails are kept and shown at /-/outbox. */
  smtpUrl?: string
  log(line: string): void
}

/** The demo CRM with Portico in it: migrated, seeded once, and listening when this resolves. */
export async function openDemo({
  databaseUrl,
  port,
  data,
  size,
  smtpUrl,
  log,
}: Options): Promise<{ close(): Promise<void> }> {
  const secret = await secretIn(data)
  const password = passwordFrom(secret)
  const owner = knex({
    client: 'pg',
    connection: databaseUrl,
    pool: { min: 0, max: 10 },
    acquireConnectionTimeout: 5_000,
  })
  const database = connectPortal(databaseUrl, password)
  await writeFile(join(data, 'database-url'), databaseUrl, { mode: 0o600 })
  try {
    await prepare(owner, database, password, size, log)
    // A data folder that was deleted took its secret along: what that sealed in this database stays closed.
    if (!(await secretsFit(database, [secret]))) await replaceLostSecret(owner, secret)
  } catch (error) {
    await Promise.all([owner.destroy(), database.destroy()])
    throw error
  }

  const env = { ...process.env }
  if (!existsSync('flags.json')) env.CUSTOMER_PORTAL_ENABLED ??= 'true'
  const journal = pino({ level: env.LOG_LEVEL ?? 'warn' })
  const flags = await flagsFromEnvironment(env, {
    warn: err => journal.warn({ err }, 'the feature flag could not be read; the last known state holds'),
  })
  const kept = keptMail(data)
  const portal = await createPortal({
    database,
    crm: adapter(database),
    flags,
    staff,
    secrets: [secret],
    log: journal,
    address: `http://localhost:${port}/portal`,
    mail: { from: 'portal@tandem.example', ...(smtpUrl ? { url: smtpUrl } : { send: kept.send }) },
  })
  const lines = mount(portal)
  const early = (app: Express) => {
    if (!smtpUrl) kept.show(app)
    lines.early(app)
  }
  const links = [{ href: '/settings/client-portal', label: 'Client portal' }]
  const app = createCrm({
    database: owner,
    secret: `crm ${secret}`,
    links,
    beside: beside(portal),
    mount: { ...lines, early },
  })

  const servers = [createServer(app), createServer(app)].map(limitConnections)
  const close = async () => {
    await stopGracefully({ servers, portal, notice: 0, limit: 5 })
    await Promise.all([owner.destroy(), database.destroy()])
  }
  try {
    await listening(servers[0]!, port, '127.0.0.1')
    // Browsers try this one first for "localhost". Some machines have no IPv6.
    await listening(servers[1]!, port, '::1').catch(() => undefined)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

async function listening(server: Server, port: number, host: string) {
  server.listen(port, host)
  await once(server, 'listening')
}

async function prepare(owner: Knex, database: Knex, password: string, size: Options['size'], log: Options['log']) {
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
  await preparePortal(owner, password)
  const [joined] = await owner('portal.client_users').select('id').limit(1)
  if (!joined) await seedAccounts(owner, database)
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
