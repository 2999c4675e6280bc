import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { type AlertKind, alertThresholds } from '../../src/auth/alerts.ts'
import { Conflict } from '../../src/http/errors.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin } from '../../src/platform/database.ts'

export const alertKinds = Object.keys(alertThresholds) as AlertKind[]

type Thresholds = Record<AlertKind, number>

/** Fewer would be raised by everyday use, and with more an attack would go unnoticed. */
export const bounds: Record<AlertKind, { least: number; most: number }> = {
  failures: { least: 5, most: 1_000 },
  foreign: { least: 5, most: 1_000 },
  exports: { least: 10, most: 10_000 },
}

/** What a workspace has chosen. Before anybody has, its admins are mailed. */
export interface Rules {
  /** Counts what was saved; 0 before the first time. */
  revision: number
  thresholds: Thresholds
  /** Whether everybody who administers the workspace is mailed. */
  toAdmins: boolean
  addresses: string[]
}

/** The workspace's rules, or those that hold before the first time. */
export async function rulesOf(database: Knex, workspace: string): Promise<Rules> {
  const [row] = await readWithin<Rules>(
    database,
    { workspace },
    {
      name: 'portal.alert-rules',
      text: `select ${columns} from portal.client_alert_rules r where r.workspace_id = scope.workspace`,
    },
  )
  return rulesIn(row)
}

/** Saves all of it, in a transaction of the workspace. Throws Conflict where it changed since the page was shown. */
export async function saveRules(tx: Knex, req: Request<any>, shown: Rules): Promise<void> {
  const { workspace, staff } = req.portal
  const [row] = await query<Rules>(tx, {
    text: `select ${columns} from portal.client_alert_rules r where r.workspace_id = $1 for update`,
    values: [workspace.id],
  })
  const before = rulesIn(row)
  if (before.revision !== shown.revision) throw new Conflict()
  const saved = await query(tx, {
    text: `insert into portal.client_alert_rules as it
             (workspace_id, revision, thresholds, to_admins, addresses, changed_by) values ($1, 1, $3, $4, $5, $6)
           on conflict (workspace_id) do update set revision = it.revision + 1, thresholds = excluded.thresholds,
             to_admins = excluded.to_admins, addresses = excluded.addresses, changed_by = excluded.changed_by,
             changed_at = portal.now()
           where it.revision = $2 returning revision`,
    values: [
      ...[workspace.id, shown.revision, JSON.stringify(shown.thresholds)],
      ...[shown.toAdmins, shown.addresses, staff?.name ?? ''],
    ],
  })
  if (!saved.length) throw new Conflict()
  const subject = { before: summaryOf(before), after: summaryOf(shown) }
  if (subject.before !== subject.after) await recordEventIn(tx, req, { event: 'alerts.changed', subject })
}

const columns = 'r.revision, r.thresholds, r.to_admins as "toAdmins", r.addresses'

/** A number within its bounds. */
export const thresholdOf = (kind: AlertKind) => {
  const { least, most } = bounds[kind]
  const sentence = 'Enter a whole number within these limits.'
  return z.coerce.number(sentence).int(sentence).min(least, sentence).max(most, sentence)
}

const Kept = z.object(eachKind(kind => thresholdOf(kind).catch(alertThresholds[kind].times)))

const rulesIn = (row: Rules | undefined): Rules => ({
  ...{ revision: 0, toAdmins: true, addresses: [] },
  ...row,
  thresholds: Kept.parse(row?.thresholds ?? {}),
})

export function eachKind<T>(of: (kind: AlertKind) => T) {
  return Object.fromEntries(alertKinds.map(kind => [kind, of(kind)])) as Record<AlertKind, T>
}

/** For the activity log. */
function summaryOf({ thresholds, toAdmins, addresses }: Rules): string {
  const numbers = alertKinds.map(kind => `${kind} ${thresholds[kind]}`).join(', ')
  const to = [...(toAdmins ? ['admins'] : []), ...addresses].join(' ')
  return `${numbers}; ${to || 'nobody'}`
}
