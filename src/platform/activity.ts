import type { Request } from 'express'
import type { Knex } from 'knex'
import { query, readWithin, type Scope } from './database.ts'
import { tellEntry, toldEvents } from './events.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      journal(row: Row): Promise<void>
    }
  }
}

/** Something that happened, named as in a plugin's `activity`. `subject` fills its sentence. */
export interface Event {
  event: string
  subject?: { id?: string } & Record<string, unknown>
  /** If it is not the signed-in user. */
  actor?: { kind: 'client' | 'staff' | 'system' | 'nobody' | 'link'; id?: string; name?: string; client?: string }
}

export interface Entry {
  id: string
  at: Date
  event: string
  actor_kind: string
  actor_id: string | null
  actor_name: string | null
  client_id: string | null
  subject: Record<string, any>
  address: string | null
  agent: string | null
}

/** Writes an activity entry in the transaction of the change that it describes, and gives its id. */
export async function recordEventIn(tx: Knex, req: Request<any>, event: Event): Promise<string> {
  const [written] = await insert(tx, [row(req, event)])
  return written!.id
}

/** Writes an activity entry of its own. It is stored when this resolves. */
export const recordEvent = (req: Request<any>, event: Event) => req.portal.journal(row(req, event))

/**
 * Rows that arrive while others are being written share the next statement: under load a commit serves many. Each
 * caller waits for its own row's commit, and each statement holds rows of one workspace.
 */
export function activityLog(database: Knex): (row: Row) => Promise<void> {
  const waiting = new Map<string, { rows: Row[]; written: Promise<void> }>()
  const busy = new Map<string, Promise<void>>()

  return row => {
    const workspace = row.workspace_id
    let next = waiting.get(workspace)
    if (!next) {
      const rows: Row[] = []
      const before = busy.get(workspace) ?? Promise.resolve()
      const written = before.then(() => {
        waiting.delete(workspace)
        const writing = insertWithin(database, workspace, rows)
        const settled = writing.then(ignore, ignore)
        busy.set(workspace, settled)
        settled.then(() => busy.get(workspace) === settled && busy.delete(workspace))
        return writing
      })
      next = { rows, written }
      waiting.set(workspace, next)
    }
    next.rows.push(row)
    return next.written
  }
}

export interface ActivityFilter {
  /** Any of these. */
  events?: string[] | undefined
  /** Id of the actor; with who viewed the portal as this person. */
  actor?: string
  /** Part of a name. */
  name?: string
  /** Instants: from the first on, before the second. */
  from?: Date
  until?: Date
}

/** Newest first. `before` is the id of the last entry of the page before. */
export const entries = (
  database: Knex,
  scope: Scope,
  sought: ActivityFilter & { before?: string; size: number },
): Promise<Entry[]> =>
  readWithin(database, scope, {
    name: 'portal.entries',
    text: `select l.id::text, at, event, actor_kind, actor_id, actor_name, client_id, subject, address, agent
           from portal.client_activity_logs l
           where ${fits} and ($8::bigint is null or l.id < $8::bigint)
           order by l.id desc limit $9`,
    values: [...valuesOf(sought), sought.before ?? null, sought.size],
  })

/** One entry of a workspace; undefined if it has none of this id. */
export async function entryOf(database: Knex, workspace: string, id: string): Promise<Entry | undefined> {
  const [entry] = await readWithin<Entry>(
    database,
    { workspace },
    {
      name: 'portal.entry',
      text: `select l.id::text, at, event, actor_kind, actor_id, actor_name, client_id, subject, address, agent
             from portal.client_activity_logs l where l.workspace_id = scope.workspace and l.id = $3::bigint`,
      values: [id],
    },
  )
  return entry
}

/**
 * Returns the latest activity of one client for a person's home page, of the last hundred entries: without sign-ins and
 * what came by links, without what this person only viewed or downloaded, and without what others did in these sections.
 */
export const recentEntries = (
  database: Knex,
  scope: Required<Scope>,
  { person, hidden, size }: { person: string; hidden: string[]; size: number },
): Promise<Entry[]> =>
  readWithin(database, scope, {
    name: 'portal.lately',
    text: `select it.* from (
             select l.id::text, at, event, actor_kind, actor_id, actor_name, client_id, subject, address, agent
             from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = scope.client order by l.id desc limit 100
           ) it where it.event not similar to '(account|links).%'
             and (it.actor_id is distinct from $4 or it.event not similar to '%.(viewed|%downloaded)')
             and (it.actor_id is not distinct from $4 or split_part(it.event, '.', 1) <> all ($5::text[]))
           limit $3`,
    values: [size, person, hidden],
  })

/** How many on each day of a time zone, the first day first; days without any are left out. */
export const countsByDay = (
  database: Knex,
  scope: Scope,
  sought: ActivityFilter,
  zone: string,
): Promise<{ day: string; count: number }[]> =>
  readWithin(database, scope, {
    name: 'portal.days',
    text: `select (at at time zone $8)::date::text as day, count(*)::int as count
           from portal.client_activity_logs l where ${fits} group by 1 order by 1`,
    values: [...valuesOf(sought), zone],
  })

const fits = `l.workspace_id = scope.workspace and (scope.client = '' or l.client_id = scope.client)
  and ($3::text[] is null or l.event = any ($3)) and ($4 = '' or l.actor_id = $4 or l.event = 'people.viewed-as' and l.subject_id = $4)
  and ($5 = '%%' or l.actor_name ilike $5)
  and ($6::timestamptz is null or l.at >= $6) and ($7::timestamptz is null or l.at < $7)`

const valuesOf = ({ events, actor = '', name = '', from, until }: ActivityFilter) => [
  events ?? null,
  actor,
  `%${name.replace(/[\\%_]/g, '\\$&')}%`,
  from ?? null,
  until ?? null,
]

export interface Row {
  workspace_id: string
  event: string
  actor_kind: string
  actor_id: string | null
  actor_name: string | null
  client_id: string | null
  subject_id: string | null
  subject: object
  address: string | null
  agent: string | null
}

/** An event without an actor, such as a job. */
export const bySystem = (workspace: string, { event, subject = {} }: Event, client: string | null = null): Row => ({
  ...{ workspace_id: workspace, event, actor_kind: 'system', actor_id: null, actor_name: null, client_id: client },
  ...{ subject_id: subject.id ?? null, subject, address: null, agent: null },
})

function row(req: Request<any>, { event, subject = {}, actor }: Event): Row {
  const { customer, guest, staff, workspace } = req.portal
  const known = staff
    ? { kind: 'staff', id: staff.id, name: staff.name, client: undefined }
    : guest
      ? { kind: 'link', id: guest.link.id, name: customer.person.name || undefined, client: customer.client.id }
      : customer
        ? { kind: 'client', id: customer.person.id, name: customer.person.name, client: customer.client.id }
        : { kind: 'nobody', id: undefined, name: undefined, client: undefined }
  const { kind, id, name, client } = { ...known, ...actor }
  return {
    workspace_id: workspace.id,
    event,
    actor_kind: kind,
    actor_id: id ?? null,
    actor_name: name ?? null,
    client_id: client ?? null,
    subject_id: subject.id ?? null,
    subject: namedFields(subject),
    address: req.ip ?? null,
    agent: req.get('User-Agent')?.slice(0, 500) ?? null,
  }
}

/** Of a record only what its sentence may name. */
function namedFields(subject: object) {
  const plain = Object.entries(subject).filter(
    ([, value]) => value == null || typeof value !== 'object' || 'amount' in value,
  )
  return Object.fromEntries(plain)
}

const columns = 'workspace_id, event, actor_kind, actor_id, actor_name, client_id, subject_id, subject, address, agent'
const values = `select ${columns} from jsonb_to_recordset($1::jsonb) as it(workspace_id text, event text, actor_kind text,
  actor_id text, actor_name text, client_id text, subject_id text, subject jsonb, address text, agent text)`

const noted = 'returning id, workspace_id, client_id, event, subject_id'

/** Rows as they are, within a transaction that has entered the workspace. Pages that are open are told of changes. */
export const insert = (tx: Knex, rows: Row[]) =>
  query<{ id: string }>(tx, {
    name: 'portal.note_and_tell',
    text: `with l as (insert into portal.client_activity_logs (${columns}) ${values} ${noted})
           select l.id::text, ${tellEntry('$2')} as told from l`,
    values: [JSON.stringify(rows), toldEvents()],
  })

const insertWithin = (database: Knex, workspace: string, rows: Row[]) =>
  query(database, {
    name: 'portal.record_and_tell',
    text: `with scope as materialized (
             select set_config('portal.workspace_id', $2, true), set_config('portal.client_id', '', true)
           ), l as (
             insert into portal.client_activity_logs (${columns})
             select it.* from scope cross join lateral (${values} offset 0) it ${noted}
           )
           select ${tellEntry('$3')} as told from l`,
    values: [JSON.stringify(rows), workspace, toldEvents()],
  }).then(() => undefined)

const ignore = () => undefined
