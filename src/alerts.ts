import type { Request } from 'express'
import type { Knex } from 'knex'
import type { Row } from './activity.ts'
import { networkOf, tallies } from './auth/limits.ts'
import { query, within } from './database.ts'
import type { Log } from './log.ts'
import type { EventKind } from './section.ts'

/** How often within so many seconds stands out. */
const unusual = {
  /** Tries to sign in that led nowhere, from one address (of IPv6 its network of 64 bits). */
  failures: { times: 20, seconds: 600 },
  /** Addresses of records that are not this person's, or not there. */
  foreign: { times: 20, seconds: 600 },
  /** Files that one person took away: documents, what is attached to them, lists, statements, archives. */
  exports: { times: 100, seconds: 3_600 },
} as const
type AlertKind = keyof typeof unusual

interface Alert {
  kind: AlertKind
  at: Date
  facts: { times: number; minutes: number; address?: string; name?: string }
}

export interface Alerts {
  /** Sees each row of activity. A public link leads to one document only: what is done by it raises nothing. */
  noticed(row: Row): void
  /** Sees each answer. */
  answered(req: Request<any>, status: number): void
  /** Told of each alert, for the metrics. */
  onAlert(heard: (kind: AlertKind) => void): void
  /** Of the last thirty days, the newest first, at most twenty. */
  of(workspace: string): Promise<Alert[]>
}

interface Parts {
  database: Knex
  log: Log
  /** Of what kind each event is, as whoever declares it says. */
  kinds: Record<string, EventKind>
}

/**
 * Counts what an attack looks like, in the database and so over all processes; an alert is raised once in its time
 * (OWASP ASVS 5.0, 16.3.3). It keeps nobody waiting, and nobody out: the limits do that.
 */
export function alerts({ database, log, kinds }: Parts): Alerts {
  const tally = tallies(database)
  const listeners: ((kind: AlertKind) => void)[] = []

  const count = async (kind: AlertKind, workspace: string, who: string, facts: object) => {
    const { times, seconds } = unusual[kind]
    if ((await tally(`alert-${kind}`, `${workspace} ${who}`, seconds)) !== times) return
    const told = { times, minutes: seconds / 60, ...facts }
    log.warn({ alert: kind, workspace, ...told }, sentences[kind])
    for (const it of listeners) it(kind)
    await within(database, { workspace }, tx => keep(tx, workspace, kind, told))
  }
  const watch = (...it: Parameters<typeof count>) =>
    void count(...it).catch(err => log.warn({ err }, 'what stood out could not be counted'))

  return {
    noticed({ workspace_id: workspace, event, actor_kind, actor_id, actor_name, address }) {
      if (event === 'account.sign-in-failed' && address)
        watch('failures', workspace, networkOf(address), { address: networkOf(address) })
      if (actor_id && actor_kind !== 'link' && kinds[event] === 'download')
        watch('exports', workspace, actor_id, { person: actor_id, name: actor_name })
    },
    answered({ portal, originalUrl }, status) {
      const { customer, guest, workspace } = portal
      if (status !== 404 || !customer || guest || !record.test(originalUrl.slice(portal.url('').length))) return
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

/** `/invoices/42`, and what is below it. */
const record = /^\/[\w-]+\/[^/?]+/

const sentences: Record<AlertKind, string> = {
  failures: 'many tries to sign in failed from one address',
  foreign: 'somebody asks for many records that are not theirs',
  exports: 'somebody takes away unusually much',
}

async function keep(tx: Knex, workspace: string, kind: AlertKind, facts: object) {
  await query(tx, {
    text: `delete from portal.client_alerts where workspace_id = $1 and at < portal.now() - interval '90 days'`,
    values: [workspace],
  })
  await query(tx, {
    text: 'insert into portal.client_alerts (workspace_id, kind, facts) values ($1, $2, $3)',
    values: [workspace, kind, JSON.stringify(facts)],
  })
}
