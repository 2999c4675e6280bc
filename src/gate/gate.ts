import type { Knex } from 'knex'
import { readClock } from '../clock.ts'
import type { Crm, Ports } from '../crm.ts'
import { query, unreachable } from '../database.ts'
import type { Log } from '../log.ts'
import { secretsFit } from '../secrets.ts'
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

interface State extends Drift {
  /** Who accepted the audit, and when; undefined where nobody did. */
  accepted: { by: string; at: Date; fingerprint: string } | undefined
  /** Sections that are switched off; `directory` is all of them. */
  closed: Set<string>
  /** Whether the CRM's database could be asked; what was known of it holds where it could not. */
  answers: boolean
  /** Whether the secrets of this instance open what is sealed in the database. */
  secretsFit: boolean
}

export interface Gate {
  /** Whether the CRM's audit was accepted; asks once, and afterwards only now and then. */
  opened(): Promise<boolean>
  /** Whether what every page needs of the CRM is as it was. */
  whole(): boolean
  /** Whether this instance has the secret that the others seal with; true while that is not known. */
  trusted(): Promise<boolean>
  /** Without the ports of sections that have drifted. */
  passing(ports: Partial<Ports>): Partial<Ports>
  /** To look at once, since a statement was refused. */
  look(): Promise<State>
  state(): State | undefined
  stop(): void
}

/**
 * On means: flag on, audit accepted, and the schema still fits. What was accepted is looked at again every minute; what
 * has drifted is switched off by section and comes back by itself.
 */
export function gate(parts: Parts): Gate {
  const { crm, every, wanted } = parts
  let known: State | undefined
  let schema = ''
  let looked = 0
  let looking: Promise<State> | undefined
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    looking ??= ask(parts, known)
      .then(found => {
        if (schema && found.schema && schema !== found.schema) crm.refresh?.()
        schema = found.schema || schema
        tell(parts.log, known, found.state)
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
    if (wanted()) look().catch(err => parts.log.warn({ err }, 'the gate could not be looked at; what was known holds'))
  }

  const opened = async () => {
    timer ??= setInterval(again, every * 1000).unref()
    const age = Date.now() - looked
    if (!known || age > every * 3000) await look().catch(unanswered)
    else if (!known.answers && age > 5_000) look().catch(unanswered)
    return known ? known.accepted !== undefined : true
  }

  return {
    opened,
    whole: () => !known?.closed.has('directory'),
    async trusted() {
      if (wanted()) await opened()
      return known?.secretsFit !== false
    },
    passing: ports =>
      known?.closed.size
        ? Object.fromEntries(Object.entries(ports).filter(([name]) => !known?.closed.has(name)))
        : ports,
    look,
    state: () => known,
    stop: () => clearInterval(timer),
  }
}

/** A database that does not answer gives nothing away either: the page that follows says so. */
const unanswered = () => undefined

async function ask({ crm, database, log, secrets }: Parts, before?: State): Promise<{ state: State; schema: string }> {
  await readClock(database, log)
  const [row] = await query(database, {
    text: 'select accepted_by, accepted_at, fingerprint, crm_schema from portal.gate',
  }).catch(error => {
    // Its migration is not applied yet.
    if (error.code === '42P01') return []
    throw error
  })
  const accepted = row && { by: row.accepted_by, at: row.accepted_at, fingerprint: row.fingerprint }
  const fit = await secretsFit(database, secrets)
  const nothing = { problems: [], news: [], closed: new Set<string>(), answers: true, secretsFit: fit }
  if (!row || !crm.reads) return { state: { ...nothing, accepted }, schema: '' }
  const found = await schemaOf(crm, database).catch(error => {
    if (!unreachable(error)) throw error
    return undefined
  })
  if (!found) return { state: { ...(before ?? nothing), accepted, answers: false, secretsFit: fit }, schema: '' }
  const { catalogue } = found
  const drift = driftOf(crm.reads, catalogue, row.crm_schema as Schema)
  return {
    state: {
      ...nothing,
      ...drift,
      accepted,
      closed: new Set(drift.problems.map(it => it.section)),
    },
    schema: JSON.stringify([...catalogue.tables].map(([name, columns]) => [name, ...columns])),
  }
}

/** Only what is other than before. */
function tell(log: Log, before: State | undefined, now: State) {
  const said = (it: State | undefined) => JSON.stringify([it?.problems ?? [], it?.news ?? []])
  if (before && Boolean(before.accepted) !== Boolean(now.accepted))
    log.info(
      {},
      now.accepted ? 'the audit is accepted: the portal is on' : 'the audit is no longer accepted: the portal is off',
    )
  if (!before && !now.accepted) log.warn({}, 'no audit of this CRM was accepted (portico enable): the portal is off')
  if (!now.secretsFit && before?.secretsFit !== false)
    log.error(
      {},
      'this instance was started with another secret than the others: it answers 503 and leaves jobs to them',
    )
  if (now.secretsFit && before?.secretsFit === false) log.info({}, 'the secrets of this instance fit again')
  if (!now.answers && before?.answers !== false)
    log.error({}, 'the database of the CRM does not answer: clients sign in, and see nothing of the CRM until it does')
  if (now.answers && before?.answers === false) log.info({}, 'the database of the CRM answers again')
  if (said(before) === said(now)) return
  const { problems, news } = now
  if (problems.length)
    log.error({ problems, sections: [...now.closed] }, 'the CRM has drifted: sections are switched off')
  else if (before?.problems.length) log.info({}, 'the CRM fits again: all sections are on')
  if (news.length) log.warn({ news }, 'the CRM has columns that nobody mapped')
}
