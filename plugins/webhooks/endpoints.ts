import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { query, readWithin } from '../../src/platform/database.ts'

/** `failed` and `gone` are endpoints that the portal has switched off. */
export type State = 'on' | 'off' | 'failed' | 'gone'

export interface Endpoint {
  id: string
  title: string
  url: string
  /** Names of events, or `invoices.*` for all of a group. */
  events: string[]
  state: State
  /** Counts what was saved. */
  revision: number
  failingSince: Date | null
  addedBy: string
  addedAt: Date
  /** Deliveries that wait, up to 1,000. */
  waiting: number
}

/** In a workspace. */
export const mostEndpoints = 20

const columns = `w.id::text, w.title, w.url, w.events, w.state, w.revision, w.failing_since as "failingSince",
  w.added_by as "addedBy", w.added_at as "addedAt", (select count(*)::int from (
    select from portal.client_webhook_deliveries d
    where d.workspace_id = w.workspace_id and d.webhook_id = w.id and d.state = 'waiting' limit 1000) it) as waiting`

/** In the order in which they were added. */
export const endpointsOf = (database: Knex, workspace: string): Promise<Endpoint[]> =>
  readWithin<Endpoint>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_webhooks w where w.workspace_id = scope.workspace order by w.id`,
    },
  )

/** Throws NotFound, also for one of another workspace. */
export async function endpointOf(database: Knex, workspace: string, id: string): Promise<Endpoint> {
  const [found] = await readWithin<Endpoint>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_webhooks w where w.workspace_id = scope.workspace and w.id::text = $3`,
      values: [id],
    },
  )
  if (!found) throw new NotFound()
  return found
}

export type Typed = Pick<Endpoint, 'title' | 'url' | 'events'>

/** Throws Conflict where the workspace has as many as it may have. Two admins at once add one after the other. */
export async function addEndpoint(tx: Knex, workspace: string, it: Typed, by: string): Promise<string> {
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`portico webhooks ${workspace}`],
  })
  const [made] = await query<{ id: string }>(tx, {
    text: `insert into portal.client_webhooks (workspace_id, id, title, url, events, added_by)
           select $1, $2, $3, $4, $5, $6
           where (select count(*) from portal.client_webhooks where workspace_id = $1) < ${mostEndpoints}
           returning id::text`,
    values: [workspace, uuid(), it.title, it.url, it.events, by],
  })
  if (!made) throw new Conflict()
  return made.id
}

interface Changed extends Typed {
  id: string
  /** What the page showed. */
  revision: number
}

/** Throws Conflict where it was changed since the page was shown. At another address it begins anew. */
export async function changeEndpoint(tx: Knex, workspace: string, it: Changed): Promise<void> {
  const changed = await query(tx, {
    text: `update portal.client_webhooks as w set title = $3, url = $4, events = $5, revision = revision + 1,
             failures = case when w.url = $4 then failures else 0 end,
             failing_since = case when w.url = $4 then failing_since end,
             rests_until = case when w.url = $4 then rests_until end
           where workspace_id = $1 and id::text = $2 and revision = $6 returning id`,
    values: [workspace, it.id, it.title, it.url, it.events, it.revision],
  })
  if (!changed.length) throw new Conflict()
}

/** Switches it on or off. What is being sent meanwhile is not recorded any more. Returns whether it was otherwise before. */
export async function switchEndpoint(tx: Knex, workspace: string, id: string, on: boolean): Promise<boolean> {
  const changed = await query(tx, {
    text: `update portal.client_webhooks set state = $3, failures = 0, failing_since = null, rests_until = null,
             lease = null, leased_until = null
           where workspace_id = $1 and id::text = $2 and (state = 'on') <> ($3 = 'on') returning id`,
    values: [workspace, id, on ? 'on' : 'off'],
  })
  return changed.length > 0
}

/** With its deliveries, those that wait too. */
export async function removeEndpoint(tx: Knex, workspace: string, id: string): Promise<void> {
  const removed = await query(tx, {
    text: 'delete from portal.client_webhooks where workspace_id = $1 and id::text = $2 returning id',
    values: [workspace, id],
  })
  if (!removed.length) throw new NotFound()
  await query(tx, {
    text: 'delete from portal.client_webhook_deliveries where workspace_id = $1 and webhook_id::text = $2',
    values: [workspace, id],
  })
}

/** Waits for others who change the same endpoint. Throws NotFound. */
export async function lockEndpoint(tx: Knex, workspace: string, id: string): Promise<void> {
  const found = await query(tx, {
    text: 'select from portal.client_webhooks where workspace_id = $1 and id::text = $2 for no key update',
    values: [workspace, id],
  })
  if (!found.length) throw new NotFound()
}

/** Tries what waits for it now, and not when its pause is over. */
export const wakeEndpoint = (tx: Knex, workspace: string, id: string) =>
  query(tx, {
    text: `update portal.client_webhooks set rests_until = null where workspace_id = $1 and id::text = $2`,
    values: [workspace, id],
  })
