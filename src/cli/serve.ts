import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { pino } from 'pino'
import { weakness } from '../auth/passwords.ts'
import type { adapterOf } from '../crm/mapping/adapter.ts'
import { bySystem, insert } from '../platform/activity.ts'
import { isPooled, isSameDatabase, keepsNames, within } from '../platform/database.ts'
import { flagsFromEnvironment } from '../platform/flags.ts'
import type { Log } from '../platform/log.ts'
import { repliesFromEnvironment } from '../platform/replies.ts'
import { limitConnections, stopGracefully } from '../platform/stop.ts'
import type { Portal } from '../portal.ts'
import { standAlone } from '../serve/app.ts'
import { addStaff, dropFactors, staffOf } from '../serve/staff.ts'
import { type Config, pool, withCrm } from './config.ts'
import { CommandError, UsageError } from './errors.ts'
import { storeFrom } from './files.ts'
import { secretsFrom } from './secrets.ts'
import { findWorkspace } from './workspace.ts'

/** Serves the portal until the process is stopped. Resolves once it listens. */
export async function serve(config: Config): Promise<string> {
  const {
    PORT = '3000',
    HOST = '127.0.0.1',
    TRUST_PROXY,
    METRICS_TOKEN,
    CLAMAV_URL,
    GEOIP_DATABASE,
    LOG_LEVEL = 'info',
  } = process.env
  if (!config.map) throw new UsageError('serve needs --map crm.map.ts.')
  if (!isPort(PORT)) throw new UsageError(`PORT is "${PORT}". Set it to a number from 1 to 65535.`)
  const secrets = config.secrets ?? secretsFrom(process.env)
  const log = pino({ level: LOG_LEVEL })
  const { crm, close, ...databases } = await databasesOf(config, log)
  const flags = await flagsFromEnvironment(process.env, {
    warn: err => log.warn({ err }, 'the feature flag could not be read; the last known state holds'),
  })
  const { app, portal } = await standAlone({
    address: config.address,
    mail: config.mail === 'kept' ? undefined : config.mail,
    replies: config.replies ?? repliesFromEnvironment(process.env),
    ...databases,
    crm,
    flags,
    secrets,
    log,
    trustProxy: TRUST_PROXY,
    preparedStatements: namesAreUsed(),
    metricsToken: METRICS_TOKEN || undefined,
    files: storeFrom(process.env, secrets),
    geoip: GEOIP_DATABASE || undefined,
    scanner: CLAMAV_URL || undefined,
    plugins: config.plugins,
  })
  const server = limitConnections(createServer(app))
  stopBySignal(server, portal, close)
  server.listen(Number(PORT), HOST)
  await once(server, 'listening').catch(async error => {
    await portal.close()
    await close()
    throw new CommandError(notListening(error, HOST, PORT))
  })
  return `ready on http://${HOST}:${PORT}/portal/:workspace, for staff http://${HOST}:${PORT}/staff/:workspace/sign-in`
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536

function notListening({ code, message }: NodeJS.ErrnoException, host: string, port: string) {
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken by another program. Stop that one, or set PORT to another port.`
  if (code === 'EACCES') return `This user may not listen on port ${port}. Set PORT to one above 1023.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `This machine has no address ${host}. Set HOST to one that it has, or to 0.0.0.0 for all.`
  return `Cannot listen on port ${port} of ${host}: ${message}`
}

const namesAreUsed = () => process.env.PREPARED_STATEMENTS !== 'false'

/** Throws CommandError if prepared statements would fail behind a pooler. */
async function databasesOf(config: Config, log: Log) {
  const database = pool(config.url, 10)
  const directDatabase = config.directUrl ? pool(config.directUrl, 2) : undefined
  const crm = config.crm(database) as ReturnType<typeof adapterOf>
  const all = new Set([database, directDatabase, crm.database].filter(it => it !== undefined))
  const close = async () => void (await Promise.all([...all].map(it => it.destroy())))
  const [pooled, ...kept] = await Promise.all([
    directDatabase && isPooled(directDatabase),
    ...[...all].map(it => !namesAreUsed() || keepsNames(it)),
  ])
  if (pooled) log.warn({}, 'DIRECT_DATABASE_URL leads to a pooler as well; it should lead to PostgreSQL itself')
  const same = !directDatabase || (await isSameDatabase(database, directDatabase))
  if (same && kept.every(Boolean)) return { database, directDatabase, crm, close }
  await close()
  throw new CommandError(same ? namesLost : otherDatabase)
}

const namesLost = `The database is behind a pooler that does not keep prepared statements, and pages would fail. Set \
PREPARED_STATEMENTS=false. With PgBouncer 1.21 or newer you can set max_prepared_statements = 200 there instead.`

const otherDatabase =
  'DIRECT_DATABASE_URL leads to another database than PORTAL_DATABASE_URL. It must be the same one, past the pooler.'

function stopBySignal(server: Server, portal: Portal, close: () => Promise<void>) {
  const { STOP_NOTICE = '3', STOP_LIMIT = '30' } = process.env
  const stop = async () => {
    await stopGracefully({ servers: [server], portal, notice: Number(STOP_NOTICE), limit: Number(STOP_LIMIT) })
    await close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
}

/**
 * Adds somebody who may sign in at /staff. The password comes from the environment, since other programs can see
 * arguments.
 */
export const staffAdd = (
  config: Config,
  { workspace: slug, email, name, member }: { workspace?: string; email?: string; name?: string; member?: boolean },
): Promise<string> =>
  withCrm(config, async (crm, database) => {
    const password = process.env.STAFF_PASSWORD ?? ''
    if (!slug || !email || !name)
      throw new UsageError('staff add needs --workspace, --email and --name, and the password in STAFF_PASSWORD.')
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new UsageError(`--email ${email} is no e-mail address.`)
    const workspace = await findWorkspace(config, crm, { slug, database })
    const weak = await weakness(password, [name, email, workspace.name])
    if (weak) throw new CommandError(`STAFF_PASSWORD: ${weak}`)
    await addStaff(database, workspace, { email, name, admin: !member, password })
    return `${name} <${email}> may look after the portal of ${workspace.name}${member ? ', and change nothing of it' : ''}.`
  })

/** Removes the second factors of staff who lost their phone and recovery codes. The operator has to verify who asks. */
export const resetStaffFactor = (
  config: Config,
  { workspace: slug, email }: { workspace?: string; email?: string },
): Promise<string> =>
  withCrm(config, async (crm, database) => {
    if (!slug || !email) throw new UsageError('staff reset-factor needs --workspace and --email.')
    const workspace = await findWorkspace(config, crm, { slug, database })
    const { staff } = crm as ReturnType<typeof adapterOf>
    const named = await staffOf(database, staff).named(workspace, email)
    if (!named.length) throw new CommandError(`${email} is nobody of the staff of ${workspace.name}.`)
    const reset = await within(database, { workspace: workspace.id }, async tx => {
      const dropped = []
      for (const { id, name } of named) {
        if (!(await dropFactors(tx, workspace, id))) continue
        await insert(tx, [bySystem(workspace.id, { event: 'staff.factor-reset', subject: { id, name } })])
        dropped.push(name)
      }
      return dropped
    })
    if (!reset.length) throw new CommandError(`${email} has no second factor.`)
    return `${reset.join(', ')} <${email}> signs in without a second factor now, and is signed out everywhere.`
  })
