import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Knex } from 'knex'
import { z } from 'zod'
import { acceptAudit, withdrawAudit } from '../crm/activation/accept.ts'
import { Audited } from '../crm/activation/audit.ts'
import {
  type Check,
  checkAudit,
  checkFiles,
  checkFit,
  checkMigrations,
  checkPages,
  checkPrivileges,
  checkSecret,
  formatChecks,
} from '../crm/activation/checks.ts'
import { adviceOn } from '../crm/activation/indexes.ts'
import { checkApi } from '../crm/activation/reading/api.ts'
import { checkReading } from '../crm/activation/reading/reading.ts'
import type { Crm } from '../crm/crm.ts'
import { grantsOf } from '../crm/grants.ts'
import { ident } from '../crm/mapping/sql.ts'
import { checkMail } from '../mail/check.ts'
import { isPooled, query } from '../platform/database.ts'
import { repliesFromEnvironment } from '../platform/replies.ts'
import { type Config, connected, pluginsOf, roleOf, withCrm } from './config.ts'
import { CommandError } from './errors.ts'
import { checkStorage } from './files.ts'
import { secretsFrom } from './secrets.ts'

/** Confirms the checklist and switches the portal on, if all checks pass. */
export async function enable(
  config: Config,
  { audit: file = 'audit.json', by = userInfo().username },
): Promise<string> {
  const audit = auditIn(file)
  const checks = [
    audit.check,
    ...(audit.json ? await auditChecks(config, audit.json) : []),
    ...(await allChecks(config)),
  ]
  const wrong = checks.filter(it => it.problems.length)
  if (wrong.length || !audit.json)
    throw new CommandError(
      `${formatChecks(checks)}\n\nNot enabled: mend what has no tick, and say portico enable again.`,
    )
  const json = audit.json
  await connected(config.ownerUrl, owner => withCrm(config, crm => acceptAudit(owner, crm, { audit: json, by })))
  return `${formatChecks(checks)}\n\nEnabled: ${by} has accepted the audit. Now the flag decides, and where it is on the portal is.`
}

export async function disable(config: Config): Promise<string> {
  const was = await connected(config.ownerUrl, withdrawAudit)
  return was ? 'Disabled: within a minute the portal is off, for every workspace.' : 'It was not enabled.'
}

/** Returns problems, the grants that the portal's role needs, and indexes that would help. Changes nothing. */
export async function doctor(config: Config, { grants = false }): Promise<string> {
  const role = roleOf(config)
  const crm = config.crm(undefined as never)
  const sql = [...(await roleMaking(config, role)), ...(crm.reads ? grantsOf(crm, role) : [])]
  if (grants) return sql.join('\n')

  const checks = await allChecks(config)
  const advice = config.map
    ? await connected(config.crmUrl ?? config.ownerUrl, owner => adviceOn(config.map!, owner))
    : []
  const lines = [
    formatChecks(checks),
    `What ${role} needs of the CRM, and nothing else (portico doctor --grants prints only this):\n\n${sql.join('\n')}`,
    advice.length
      ? `Indexes that would help; Portico adds none to your tables:\n\n${advice.join('\n')}`
      : config.map && 'Every list has an index that it can take.',
    await liveAdvice(config),
  ]
  const text = lines.filter(Boolean).join('\n\n')
  if (checks.some(it => it.problems.length)) throw new CommandError(text)
  return text
}

/** Says why open pages do not refresh by themselves, where they cannot: notifications do not pass a pooler. */
async function liveAdvice({ url, directUrl }: Config): Promise<string | undefined> {
  if (!(await connected(directUrl ?? url, isPooled))) return undefined
  const where = directUrl ? 'DIRECT_DATABASE_URL leads to a pooler' : 'the database is behind a pooler'
  return `Open pages do not refresh by themselves: ${where}. Set DIRECT_DATABASE_URL to PostgreSQL itself.`
}

/** Checks the secrets only if they are set here: the portal may get them from elsewhere. */
async function secretChecks(config: Config): Promise<Check[]> {
  const { PORTAL_SECRETS, PORTAL_SECRET } = process.env
  if (!config.secrets && !PORTAL_SECRETS && !PORTAL_SECRET) return []
  const secrets = config.secrets ?? secretsFrom(process.env)
  return [await connected(config.ownerUrl, owner => checkSecret(owner, secrets))]
}

async function allChecks(config: Config): Promise<Check[]> {
  const tables = await connected(config.ownerUrl, owner => checkMigrations(owner, config.plugins))
  const rest = await withCrm(config, async (crm, database) => {
    await query(database, { text: 'select 1' })
    const fit = await checkFit(crm, config.map, crm.database ?? database, config.plugins)
    return [
      fit,
      ...(config.map && !fit.problems.length
        ? await checkReading(config.map, crm.database ?? database, config.plugins)
        : []),
      checkPages(crm),
      ...(await checkPrivileges(crm, database)),
      ...(await ofPlugins(config, crm, database)),
    ]
  }).catch((error: Error & { code?: string }) => {
    if (!/^(28P01|28000|3D000|42501)$/.test(error.code ?? '')) throw error
    return [{ label: `${roleOf(config)} can sign in to the database`, problems: [error.message] }]
  })
  const secret = tables.problems.length ? [] : await secretChecks(config)
  return [
    tables,
    ...rest,
    ...secret,
    await checkMail(config.mail),
    ...(await checkStorage(config)),
    ...(config.map ? [await checkFiles(config.map), await checkApi(config.map)] : []),
  ]
}

/** Returns what each plugin needs, under its name. */
async function ofPlugins(config: Config, crm: Crm, database: Knex): Promise<Check[]> {
  const all = pluginsOf(config).map(async ({ name, checks }) =>
    ((await checks?.({ crm, database, replies: config.replies ?? repliesFromEnvironment(process.env) })) ?? []).map(
      it => ({ ...it, label: `${name}: ${it.label}` }),
    ),
  )
  return (await Promise.all(all)).flat()
}

const auditChecks = (config: Config, audit: Audited) =>
  connected(config.crmUrl ?? config.ownerUrl, async owner => [await checkAudit(audit, owner)])

function auditIn(file: string): { check: Check; json?: Audited } {
  const label = `the audit is there (${file})`
  if (!existsSync(file))
    return { check: { label, problems: ['run portico audit, and read its report before you go on'] } }
  try {
    const { data, error } = Audited.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return data
      ? { check: { label, problems: [] }, json: data }
      : { check: { label, problems: [`it is no audit: ${z.prettifyError(error)}`] } }
  } catch (error) {
    return { check: { label, problems: [`it cannot be read: ${(error as Error).message}`] } }
  }
}

/** Creates the portal's role if it is missing. You choose its password. */
const roleMaking = (config: Config, role: string): Promise<string[]> =>
  connected(config.ownerUrl, async owner => {
    const [known] = await query(owner, { text: 'select rolconfig from pg_roles where rolname = $1', values: [role] })
    return [
      ...(known ? [] : [`create role ${ident(role)} login password 'choose one';`]),
      // Compiling a page's questions anew each time takes longer than to answer them.
      ...(known?.rolconfig?.includes('jit=off') ? [] : [`alter role ${ident(role)} set jit = off;`]),
    ]
  })
