import type { Request } from 'express'
import type { Knex } from 'knex'
import type { Row } from '../platform/activity.ts'
import { query, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { EventKind } from '../plugin/parts.ts'
import { networkOf, tallies } from './limits.ts'

/** How many events within how many seconds raise an alert. */
const thresholds = {
  /** Failed sign-ins from one address (for IPv6: from one network of 64 bits). */
  failures: { times: 20, seconds: 600 },
  /** One person's requests for records that do not exist or are not theirs. */
  foreign: { times: 20, seconds: 600 },
  /** One person's downloads: documents, attachments, lists, statements, archives. */
  exports: { times: 100, seconds: 3_600 },
} as const
type AlertKind = keyof typeof thresholds

interface Alert {
  kind: AlertKind
  at: Date
  facts: { times: number; minutes: number; address?: string; name?: string }
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
}

/**
 * Detects patterns of an attack. Counts in the database, and so across all processes; raises an alert once per period
 * (OWASP ASVS 5.0, 16.3.3). Alerts never delay or block anybody: the limits do that.
 */
export function alerts({ database, log, kinds }: Parts): Alerts {
  const tally = tallies(database)
  const listeners: ((kind: AlertKind) => void)[] = []

  const count = async (kind: AlertKind, workspace: string, who: string, facts: object) => {
    const { times, seconds } = thresholds[kind]
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
