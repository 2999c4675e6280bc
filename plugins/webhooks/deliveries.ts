import type { Knex } from 'knex'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import { testEvent } from './events.ts'
import type { SentEntry } from './payload.ts'
import type { Problem } from './post.ts'

/** An event on its way to an endpoint, as staff see it. */
export interface Delivery {
  id: string
  event: string
  /** Of the entry in the activity log; null for a test. */
  entryId: string | null
  queuedAt: Date
  state: 'waiting' | 'delivered' | 'failed'
  attempts: number
  /** When it is tried next. */
  nextAt: Date
  triedAt: Date | null
  status: number | null
  milliseconds: number | null
  answer: string | null
  problem: Problem | null
}

/** What receivers get as `webhook-id`: the same for each attempt. */
export const messageId = (delivery: string): string => `msg_${delivery}`

/** Days that the log of an endpoint goes back. */
export const keptDays = 30

const columns = `d.id::text, d.event, d.entry_id::text as "entryId", d.queued_at as "queuedAt", d.state, d.attempts,
  d.next_at as "nextAt", d.tried_at as "triedAt", d.status, d.milliseconds, d.answer, d.problem`

interface Asked {
  endpoint: string
  /** Only these; all if undefined. */
  state?: Delivery['state'] | undefined
  /** The last one of the page before. */
  before?: string | undefined
  size: number
}

/** Newest first. */
export const deliveriesOf = (
  database: Knex,
  workspace: string,
  { endpoint, state, before, size }: Asked,
): Promise<Delivery[]> =>
  readWithin<Delivery>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_webhook_deliveries d
             where d.workspace_id = scope.workspace and d.webhook_id = $3::uuid and ($4::text is null or d.state = $4)
               and ($5::uuid is null or (d.queued_at, d.id) < (
                 select b.queued_at, b.id from portal.client_webhook_deliveries b
                 where b.workspace_id = scope.workspace and b.id = $5::uuid))
             order by d.queued_at desc, d.id desc limit $6`,
      values: [endpoint, state ?? null, before ?? null, size],
    },
  )

/** Throws NotFound, also for one of another endpoint or workspace. */
export async function deliveryOf(database: Knex, workspace: string, endpoint: string, id: string): Promise<Delivery> {
  const [found] = await readWithin<Delivery>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_webhook_deliveries d
             where d.workspace_id = scope.workspace and d.webhook_id::text = $3 and d.id::text = $4`,
      values: [endpoint, id],
    },
  )
  if (!found) throw new NotFound()
  return found
}

export const queueTest = (tx: Knex, workspace: string, endpoint: string) =>
  query(tx, {
    text: `insert into portal.client_webhook_deliveries (workspace_id, webhook_id, event) values ($1, $2, $3)`,
    values: [workspace, endpoint, testEvent],
  })

/** Sends one again, under the same id. Throws Conflict for one that waits anyway. */
export async function queueAgain(tx: Knex, workspace: string, id: string): Promise<void> {
  const changed = await query(tx, {
    text: `update portal.client_webhook_deliveries
           set state = 'waiting', attempts = 0, waits_since = portal.now(), next_at = portal.now()
           where workspace_id = $1 and id::text = $2 and state <> 'waiting' returning id`,
    values: [workspace, id],
  })
  if (!changed.length) throw new Conflict()
}

/** A delivery with what it tells of. */
export interface Due extends Pick<Delivery, 'id' | 'event' | 'attempts' | 'queuedAt'> {
  /** Null for a test, and where the entry was erased. */
  entry: SentEntry | null
}

/** What is due for an endpoint, the oldest first, in a transaction of the workspace. */
export async function dueOf(tx: Knex, workspace: string, endpoint: string, size: number): Promise<Due[]> {
  const rows = await query(tx, {
    name: 'portal.webhooks-due',
    text: `select d.id::text, d.event, d.attempts, d.queued_at as "queuedAt", l.id::text as entry, l.at, l.actor_kind,
             l.actor_id, l.actor_name, l.client_id, l.subject
           from portal.client_webhook_deliveries d
           left join portal.client_activity_logs l on l.workspace_id = d.workspace_id and l.id = d.entry_id
           where d.workspace_id = $1 and d.webhook_id = $2 and d.state = 'waiting' and d.next_at <= portal.now()
           order by d.next_at, d.entry_id limit $3`,
    values: [workspace, endpoint, size],
  })
  return rows.map(({ id, event, attempts, queuedAt, entry, ...its }) => ({
    ...{ id, event, attempts, queuedAt },
    entry: entry === null ? null : { ...its, id: entry, event },
  }))
}

/** What has waited for a day counts as failed, many at a time. */
export const giveUpLate = (tx: Knex, workspace: string) =>
  query(tx, {
    text: `update portal.client_webhook_deliveries d set state = 'failed', problem = coalesce(d.problem, 'late')
           where d.workspace_id = $1 and d.id in (
             select l.id from portal.client_webhook_deliveries l
             where l.workspace_id = $1 and l.state = 'waiting' and l.waits_since < portal.now() - interval '1 day'
             limit 5000)`,
    values: [workspace],
  })

/** Forgets what is older than the log goes back, and what an endpoint left behind that was removed meanwhile. */
export const forgetOld = (tx: Knex, workspace: string) =>
  query(tx, {
    text: `delete from portal.client_webhook_deliveries d where d.workspace_id = $1 and (
             d.state <> 'waiting' and d.queued_at < portal.now() - interval '${keptDays} days'
             or not exists (select from portal.client_webhooks w where w.workspace_id = $1 and w.id = d.webhook_id))`,
    values: [workspace],
  })
