import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { z } from 'zod'
import { grantsOf } from '../crm/grants.ts'
import { ident } from '../crm/map/sql.ts'
import { query } from '../database.ts'
import { accept, withdraw } from '../gate/accept.ts'
import { Audited } from '../gate/audit.ts'
import {
  auditFits,
  type Check,
  filesThere,
  fits,
  mailLeaves,
  migrated,
  powers,
  secretFits,
  ticked,
} from '../gate/checks.ts'
import { adviceOn } from '../gate/indexes.ts'
import { type Config, connected, roleOf, withCrm } from './config.ts'
import { Trouble } from './problems.ts'
import { secretsFrom } from './secrets.ts'

/** Ticks for all that must hold, and on with the portal where it does. */
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
    throw new Trouble(`${ticked(checks)}\n\nNot enabled: mend what has no tick, and say portico enable again.`)
  const json = audit.json
  await connected(config.ownerUrl, owner => withCrm(config, crm => accept(owner, crm, { audit: json, by })))
  return `${ticked(checks)}\n\nEnabled: ${by} has accepted the audit. Now the flag decides, and where it is on the portal is.`
}

export async function disable(config: Config): Promise<string> {
  const was = await connected(config.ownerUrl, withdraw)
  return was ? 'Disabled: within a minute the portal is off, for every workspace.' : 'It was not enabled.'
}

/** What is wrong, the grants that the portal's role needs, and indexes that would help. Changes nothing. */
export async function doctor(config: Config, { grants = false }): Promise<string> {
  const role = roleOf(config)
  const crm = config.crm(undefined as never)
  const sql = [...(await roleMaking(config, role)), ...(crm.reads ? grantsOf(crm, role) : [])]
  if (grants) return sql.join('\n')

  const checks = await allChecks(config)
  const advice = config.map
    ? await connected(config.crmUrl ?? config.ownerUrl, owner => adviceOn(config.map!, owner))
    : []
  const told = [
    ticked(checks),
    `What ${role} needs of the CRM, and nothing else (portico doctor --grants prints only this):\n\n${sql.join('\n')}`,
    advice.length
      ? `Indexes that would help; Portico adds none to your tables:\n\n${advice.join('\n')}`
      : config.map && 'Every list has an index that it can take.',
  ]
  const text = told.filter(Boolean).join('\n\n')
  if (checks.some(it => it.problems.length)) throw new Trouble(text)
  return text
}

/** Only where the secrets are known here: the portal may have them from elsewhere. */
async function secretChecks(config: Config): Promise<Check[]> {
  const { PORTAL_SECRETS, PORTAL_SECRET } = process.env
  if (!config.secrets && !PORTAL_SECRETS && !PORTAL_SECRET) return []
  const secrets = config.secrets ?? secretsFrom(process.env)
  return [await connected(config.ownerUrl, owner => secretFits(owner, secrets))]
}

async function allChecks(config: Config): Promise<Check[]> {
  const tables = await connected(config.ownerUrl, owner => migrated(owner, config.plugins))
  const rest = await withCrm(config, async (crm, database) => {
    await query(database, { text: 'select 1' })
    return [await fits(crm, config.map, crm.database ?? database), ...(await powers(crm, database))]
  }).catch((error: Error & { code?: string }) => {
    if (!/^(28P01|28000|3D000|42501)$/.test(error.code ?? '')) throw error
    return [{ label: `${roleOf(config)} can sign in to the database`, problems: [error.message] }]
  })
  const secret = tables.problems.length ? [] : await secretChecks(config)
  return [
    tables,
    ...rest,
    ...secret,
    await mailLeaves(config.mail),
    ...(config.map ? [await filesThere(config.map)] : []),
  ]
}

const auditChecks = (config: Config, audit: Audited) =>
  connected(config.crmUrl ?? config.ownerUrl, async owner => [await auditFits(audit, owner)])

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

/** Where there is no such role yet. Its password is yours to choose. */
const roleMaking = (config: Config, role: string): Promise<string[]> =>
  connected(config.ownerUrl, async owner => {
    const [known] = await query(owner, { text: 'select 1 from pg_roles where rolname = $1', values: [role] })
    return known ? [] : [`create role ${ident(role)} login password 'choose one';`]
  })
