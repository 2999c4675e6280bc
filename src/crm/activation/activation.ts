import type { Knex } from 'knex'
import { readClock } from '../../platform/clock.ts'
import { query, unreachable } from '../../platform/database.ts'
import type { Log } from '../../platform/log.ts'
import { secretsFit } from '../../platform/secrets.ts'
import type { Crm, Ports } from '../crm.ts'
import { type Drift, driftOf, type Schema, schemaOf } from './drift.ts'

interface Parts {
  crm: Crm
  database: Knex
  log: Log
  secrets: string[]
  /** Seconds between two looks. */
  every: number
  /** Whether there is anything to look after: nothing is asked of a database while the flag is off. */
  wanted(): boolean
}

interface ActivationState extends Drift {
  /** Who accepted the audit, and when; undefined if nobody has. */
  accepted: { by: string; at: Date; fingerprint: string } | undefined
  /** Sections that are switched off; `directory` is all of them. */
  disabledSections: Set<string>
  /** Whether the CRM's database could be asked; what was known of it holds where it could not. */
  crmReachable: boolean
  /** Whether the secrets of this instance open what is sealed in the database. */
  secretFits: boolean
}

export interface Activation {
  /** Whether the CRM's audit was accepted; asks once, and afterwards only now and then. */
  isAccepted(): Promise<boolean>
  /** Whether what every page needs of the CRM is as it was. */
  isComplete(): boolean
  /** Whether this instance has the secret that the others seal with; true while that is not known. */
  hasRightSecret(): Promise<boolean>
  /** Without the ports of sections that have drifted. */
  availablePorts(ports: Partial<Ports>): Partial<Ports>
  /** To look at once, since a statement was refused. */
  check(): Promise<ActivationState>
  state(): ActivationState | undefined
  stop(): void
}

/**
 * The portal is on if the flag is on, the audit was accepted and the schema still fits. It is checked every minute.
 * Sections whose columns drifted are switched off, and on again when they fit.
 */
export function createActivation(parts: Parts): Activation {
  const { crm, every, wanted } = parts
  let known: ActivationState | undefined
  let schema = ''
  let looked = 0
  let looking: Promise<ActivationState> | undefined
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    looking ??= readState(parts, known)
      .then(found => {
        if (schema && found.schema && schema !== found.schema) crm.refresh?.()
        schema = found.schema || schema
        logChanges(parts.log, known, found.state)
        known = found.state
        looked = Date.now()
        return found.state
      })
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const again = () => {
    if (wanted())
      look().catch(err => parts.log.warn({ err }, 'activation could not be checked; the last known state holds'))
  }

  const isAccepted = async () => {
    timer ??= setInterval(again, every * 1000).unref()
    const age = Date.now() - looked
    if (!known || age > every * 3000) await look().catch(ignoreUnreachable)
    else if (!known.crmReachable && age > 5_000) look().catch(ignoreUnreachable)
    return known ? known.accepted !== undefined : true
  }

  return {
    isAccepted,
    isComplete: () => !known?.disabledSections.has('directory'),
    async hasRightSecret() {
      if (wanted()) await isAccepted()
      return known?.secretFits !== false
    },
    availablePorts: ports =>
      known?.disabledSections.size
        ? Object.fromEntries(Object.entries(ports).filter(([name]) => !known?.disabledSections.has(name)))
        : ports,
    check: look,
    state: () => known,
    stop: () => clearInterval(timer),
  }
}

/** A database that does not answer gives nothing away either: the page that follows says so. */
const ignoreUnreachable = () => undefined

async function readState(
  { crm, database, log, secrets }: Parts,
  before?: ActivationState,
): Promise<{ state: ActivationState; schema: string }> {
  await readClock(database, log)
  const [row] = await query(database, {
    text: 'select accepted_by, accepted_at, fingerprint, crm_schema from portal.activation',
  }).catch(error => {
    // Its migration is not applied yet.
    if (error.code === '42P01') return []
    throw error
  })
  const accepted = row && { by: row.accepted_by, at: row.accepted_at, fingerprint: row.fingerprint }
  const fit = await secretsFit(database, secrets)
  const nothing = { problems: [], news: [], disabledSections: new Set<string>(), crmReachable: true, secretFits: fit }
  if (!row || !crm.reads) return { state: { ...nothing, accepted }, schema: '' }
  const found = await schemaOf(crm, database).catch(error => {
    if (!unreachable(error)) throw error
    return undefined
  })
  if (!found) return { state: { ...(before ?? nothing), accepted, crmReachable: false, secretFits: fit }, schema: '' }
  const { catalogue } = found
  const drift = driftOf(crm.reads, catalogue, row.crm_schema as Schema)
  return {
    state: {
      ...nothing,
      ...drift,
      accepted,
      disabledSections: new Set(drift.problems.map(it => it.section)),
    },
    schema: JSON.stringify([...catalogue.tables].map(([name, columns]) => [name, ...columns])),
  }
}

/** Only what is other than before. */
function logChanges(log: Log, before: ActivationState | undefined, now: ActivationState) {
  const said = (it: ActivationState | undefined) => JSON.stringify([it?.problems ?? [], it?.news ?? []])
  if (before && Boolean(before.accepted) !== Boolean(now.accepted))
    log.info(
      {},
      now.accepted ? 'the audit is accepted: the portal is on' : 'the audit is no longer accepted: the portal is off',
    )
  if (!before && !now.accepted) log.warn({}, 'no audit of this CRM was accepted (portico enable): the portal is off')
  if (!now.secretFits && before?.secretFits !== false)
    log.error(
      {},
      'this instance was started with another secret than the others: it answers 503 and leaves jobs to them',
    )
  if (now.secretFits && before?.secretFits === false) log.info({}, 'the secrets of this instance fit again')
  if (!now.crmReachable && before?.crmReachable !== false)
    log.error({}, 'the database of the CRM does not answer: clients sign in, and see nothing of the CRM until it does')
  if (now.crmReachable && before?.crmReachable === false) log.info({}, 'the database of the CRM answers again')
  if (said(before) === said(now)) return
  const { problems, news } = now
  if (problems.length)
    log.error({ problems, sections: [...now.disabledSections] }, 'the CRM has drifted: sections are switched off')
  else if (before?.problems.length) log.info({}, 'the CRM fits again: all sections are on')
  if (news.length) log.warn({ news }, 'the CRM has columns that nobody mapped')
}
