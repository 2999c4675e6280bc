import { once } from 'node:events'
import { createServer } from 'node:http'
import { pino } from 'pino'
import { bySystem, insert } from '../activity.ts'
import { weakness } from '../auth/passwords.ts'
import type { adapterOf } from '../crm/map/adapter.ts'
import { within } from '../database.ts'
import { flagsFromEnvironment } from '../flags.ts'
import { standAlone } from '../serve/app.ts'
import { addStaff, dropFactors, staffOf } from '../serve/staff.ts'
import { limitConnections, stopGracefully } from '../stop.ts'
import { type Config, pool, withCrm } from './config.ts'
import { Trouble, Wrong } from './problems.ts'
import { secretsFrom } from './secrets.ts'

/** Serves the portal until it is told to stop. Resolves when it listens. */
export async function serve(config: Config): Promise<string> {
  const { PORT = '3000', HOST = '127.0.0.1', TRUST_PROXY, LOG_LEVEL = 'info', PREPARED_STATEMENTS } = process.env
  const { STOP_NOTICE = '3', STOP_LIMIT = '30' } = process.env
  if (!config.map) throw new Wrong('serve needs --map crm.map.ts.')
  const secrets = secretsFrom(process.env)
  const log = pino({ level: LOG_LEVEL })
  const database = pool(config.url, 10)
  const crm = config.crm(database) as ReturnType<typeof adapterOf>
  const flags = await flagsFromEnvironment(process.env, {
    warn: err => log.warn({ err }, 'the feature flag could not be read; the last known state holds'),
  })
  const { app, portal } = await standAlone({
    address: config.address,
    mail: config.mail === 'kept' ? undefined : config.mail,
    database,
    crm,
    flags,
    secrets,
    log,
    trustProxy: TRUST_PROXY,
    preparedStatements: PREPARED_STATEMENTS !== 'false',
  })
  const server = limitConnections(createServer(app))
  const stop = async () => {
    await stopGracefully({ servers: [server], portal, notice: Number(STOP_NOTICE), limit: Number(STOP_LIMIT) })
    await database.destroy()
    if (crm.database && crm.database !== database) await crm.database.destroy()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  server.listen(Number(PORT), HOST)
  await once(server, 'listening')
  return `ready on http://${HOST}:${PORT}/portal/:workspace, for staff http://${HOST}:${PORT}/staff/:workspace/sign-in`
}

/** Somebody who may sign in at /staff. The password is read from the environment: arguments are seen by other programs. */
export const staffAdd = (
  config: Config,
  { workspace: slug, email, name, member }: { workspace?: string; email?: string; name?: string; member?: boolean },
): Promise<string> =>
  withCrm(config, async ({ directory }, database) => {
    const password = process.env.STAFF_PASSWORD ?? ''
    if (!slug || !email || !name)
      throw new Wrong('staff add needs --workspace, --email and --name, and the password in STAFF_PASSWORD.')
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new Wrong(`--email ${email} is no e-mail address.`)
    const workspace = await directory.workspace(slug)
    if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
    const weak = await weakness(password, [name, email, workspace.name])
    if (weak) throw new Trouble(`STAFF_PASSWORD: ${weak}`)
    await addStaff(database, workspace, { email, name, admin: !member, password })
    return `${name} <${email}> may look after the portal of ${workspace.name}${member ? ', and change nothing of it' : ''}.`
  })

/** For staff who lost phone and recovery codes. Who runs the portal knows that it is them who ask. */
export const resetStaffFactor = (
  config: Config,
  { workspace: slug, email }: { workspace?: string; email?: string },
): Promise<string> =>
  withCrm(config, async (crm, database) => {
    if (!slug || !email) throw new Wrong('staff reset-factor needs --workspace and --email.')
    const workspace = await crm.directory.workspace(slug)
    if (!workspace) throw new Trouble(`The CRM has no workspace "${slug}".`)
    const { staff } = crm as ReturnType<typeof adapterOf>
    const named = await staffOf(database, staff).named(workspace, email)
    if (!named.length) throw new Trouble(`${email} is nobody of the staff of ${workspace.name}.`)
    const reset = await within(database, { workspace: workspace.id }, async tx => {
      const dropped = []
      for (const { id, name } of named) {
        if (!(await dropFactors(tx, workspace, id))) continue
        await insert(tx, [bySystem(workspace.id, { event: 'staff.factor-reset', subject: { id, name } })])
        dropped.push(name)
      }
      return dropped
    })
    if (!reset.length) throw new Trouble(`${email} has no second factor.`)
    return `${reset.join(', ')} <${email}> signs in without a second factor now, and is signed out everywhere.`
  })
