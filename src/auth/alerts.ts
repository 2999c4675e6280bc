import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Row } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { EventKind } from '../plugin/parts.ts'
import type { Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'
import { networkOf, tallies } from './limits.ts'

/** How many events within how many seconds raise an alert, unless the workspace says otherwise. */
export const alertThresholds = {
  /** Failed sign-ins from one address (for IPv6: from one network of 64 bits). */
  failures: { times: 20, seconds: 600 },
  /** One person's requests for records that do not exist or are not theirs. */
  foreign: { times: 20, seconds: 600 },
  /** One person's downloads: documents, attachments, lists, statements, archives. */
  exports: { times: 100, seconds: 3_600 },
} as const
export type AlertKind = keyof typeof alertThresholds

/** What an alert says: `since` is an instant in ISO 8601, `address` or `person` and `name` where they come from. */
export interface AlertFacts {
  times: number
  minutes: number
  since?: string
  address?: string
  person?: string
  name?: string
}

interface Alert {
  kind: AlertKind
  at: Date
  facts: AlertFacts
}

/** What a plugin does with alerts. */
interface AlertHooks {
  /** From how many events on alerts are raised in a workspace; the usual number for kinds that it leaves out. */
  thresholds?(database: Knex, workspace: string): Promise<Partial<Record<AlertKind, number>>>
  /** Told of each alert, in the transaction that keeps it. */
  raised?(tx: Knex, alert: { workspace: string; id: string; kind: AlertKind; facts: AlertFacts }): Promise<void>
}

declare global {
  namespace Portico {
    interface Plugin {
      /** From how many events on alerts are raised, and what happens with each, in its transaction. */
      alerts?: AlertHooks
    }
  }
}

const isFunction = z.custom(it => typeof it === 'function', 'must be a function').optional()

export const alertHost: PluginHost = {
  shape: { alerts: z.object({ thresholds: isFunction, raised: isFunction }).optional() },
  add: () => undefined,
}

export interface Alerts {
  /** Counts a row of activity. Rows by a public link are ignored, since it leads to one document only. */
  noticed(row: Row): void
  /** Counts a response. */
  answered(req: Request<any>, status: number): void
  /** Calls `heard` with each alert, for the metrics. */
  onAlert(heard: (kind: AlertKind) => void): void
  /** The alerts of the last thirty days, newest first, at most twenty. */
  of(workspace: string): Promise<Alert[]>
}

interface Parts {
  database: Knex
  log: Log
  /** The kind of each event, as its section declares it. */
  kinds: Record<string, EventKind>
  plugins: Section[]
}

/**
 * Detects patterns of an attack. Counts in the database, and so across all processes; raises an alert once per period
 * (OWASP ASVS 5.0, 16.3.3). Alerts never delay or block anybody: the limits do that.
 */
export function alerts({ database, log, kinds, plugins }: Parts): Alerts {
  const tally = tallies(database)
  const listeners: ((kind: AlertKind) => void)[] = []

  const count = async (kind: AlertKind, workspace: string, who: string, from: From) => {
    const { seconds } = alertThresholds[kind]
    const times = await timesOf(plugins, database, { kind, workspace })
    // With another threshold, counting starts again.
    const { count, since } = await tally(`alert-${kind}`, `${workspace} ${times} ${who}`, seconds)
    if (!isLookedAt(count - times)) return
    const facts: Said = { times, minutes: seconds / 60, since: since.toISOString(), ...from }
    const isNew = await within(database, { workspace }, async tx => {
      const id = await keep(tx, workspace, kind, facts)
      if (id === undefined) return false
      for (const it of plugins) await it.alerts?.raised?.(tx, { workspace, id, kind, facts })
      return true
    })
    if (!isNew) return
    log.warn({ alert: kind, workspace, ...facts }, sentences[kind])
    for (const it of listeners) it(kind)
  }
  const watch = (...it: Parameters<typeof count>) => {
    const [kind, workspace, , from] = it
    void count(...it).catch(err => log.warn({ err, kind, workspace, ...from }, 'what stood out could not be counted'))
  }

  return {
    noticed({ workspace_id: workspace, event, actor_kind, actor_id, actor_name, address }) {
      if (event === 'account.sign-in-failed' && address)
        watch('failures', workspace, networkOf(address), { address: networkOf(address) })
      if (actor_id && actor_kind !== 'link' && kinds[event] === 'download')
        watch('exports', workspace, actor_id, { person: actor_id, name: actor_name ?? '' })
    },
    answered({ portal, originalUrl }, status) {
      const { customer, guest, viewing, workspace } = portal
      // By a link it is nobody's, and while staff view as somebody it is not theirs.
      if (status !== 404 || !customer || guest || viewing || !record.test(originalUrl.slice(portal.url('').length)))
        return
      watch('foreign', workspace.id, customer.person.id, { person: customer.person.id, name: customer.person.name })
    },
    onAlert: heard => void listeners.push(heard),
    of: workspace =>
      within(database, { workspace }, tx =>
        query<Alert>(tx, {
          text: `select kind, at, facts from portal.client_alerts
                 where workspace_id = $1 and at > portal.now() - interval '30 days' order by id desc limit 20`,
          values: [workspace],
        }),
      ),
  }
}

/** The address of a record, such as `/invoices/42`, and everything below it. */
const record = /^\/[\w-]+\/[^/?]+/

const sentences: Record<AlertKind, string> = {
  failures: 'many tries to sign in failed from one address',
  foreign: 'somebody asks for many records that are not theirs',
  exports: 'somebody takes away unusually much',
}

/** From how many events on an alert is raised: asked each time, so that a change counts at once on every instance. */
async function timesOf(
  plugins: Section[],
  database: Knex,
  { kind, workspace }: { kind: AlertKind; workspace: string },
) {
  const chosen = await Promise.all(plugins.map(it => it.alerts?.thresholds?.(database, workspace)))
  return chosen.find(it => it?.[kind])?.[kind] ?? alertThresholds[kind].times
}

/** The event that reaches the threshold, and later ones: a process may have died before it kept the alert. */
const isLookedAt = (over: number) => over >= 0 && (over <= 5 || over % 20 === 0)

type From = Pick<AlertFacts, 'address' | 'person' | 'name'>
type Said = AlertFacts & { since: string }

/**
 * Keeps an alert and gives its id; undefined if there is one of this period already, whose beginning each process computes
 * by its own clock.
 */
async function keep(tx: Knex, workspace: string, kind: AlertKind, facts: Said): Promise<string | undefined> {
  const from = facts.address ?? facts.person ?? ''
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`alert ${workspace} ${kind} ${from}`],
  })
  const [kept] = await query<{ id: string }>(tx, {
    text: `insert into portal.client_alerts (workspace_id, kind, facts)
           select $1, $2, $3::jsonb where not exists (
             select from portal.client_alerts a
             where a.workspace_id = $1 and a.kind = $2 and coalesce(a.facts ->> 'address', a.facts ->> 'person') = $4
               and a.facts -> 'times' = ($3::jsonb) -> 'times'
               and abs(extract(epoch from (a.facts ->> 'since')::timestamptz - $5::timestamptz)) < 60)
           returning id::text`,
    values: [workspace, kind, JSON.stringify(facts), from, facts.since],
  })
  if (!kept) return undefined
  await query(tx, {
    text: `delete from portal.client_alerts where workspace_id = $1 and at < portal.now() - interval '90 days'`,
    values: [workspace],
  })
  return kept.id
}
