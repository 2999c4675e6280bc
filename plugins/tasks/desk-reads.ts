import type { Knex } from 'knex'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { State } from './port.ts'
import { likeOf, uuidOf } from './store.ts'

/** A task of Portico's own as staff have it in lists. */
export interface ListedTask {
  id: string
  title: string
  client: string
  clientName: string
  personName: string | null
  /** Plain dates. */
  dueOn: string | null
  doneOn: string | null
  late: boolean
  state: State
  /** Items of its checklist that are done, and all. */
  ticked: number
  items: number
  /** Who completed it, and when. */
  completed: { name: string; at: string } | null
}

export const shows = ['open', 'late', 'done', 'all'] as const
type Show = (typeof shows)[number]

export interface Sought {
  show: Show
  search: string
  after?: string
}

/** The workspace, and the plain date there. */
export interface Place {
  workspace: string
  today: string
}

const due = `coalesce(t.due_on, '9999-12-31'::date)`

/** The plain date is `$3`. */
const conditions: Record<Show, string> = {
  open: `t.state <> 'done'`,
  late: `t.state <> 'done' and ${due} < $3::date`,
  done: `t.state = 'done'`,
  all: 'true',
}

/** What each list sorts by, before the id. */
const orders: Record<Show, { by: string; type: string; direction: 'asc' | 'desc' }> = {
  open: { by: due, type: 'date', direction: 'asc' },
  late: { by: due, type: 'date', direction: 'asc' },
  done: { by: 't.done_on', type: 'date', direction: 'desc' },
  all: { by: '', type: 'date', direction: 'desc' },
}

const instant = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const columns = `t.id, t.title, t.client_id as client, t.client_name as "clientName", t.person_name as "personName", t.state,
  t.due_on::text as "dueOn", t.done_on::text as "doneOn", (${conditions.late}) as late, n.ticked, n.items,
  (select jsonb_build_object('name', c.by_name, 'at', ${instant('c.at')}) from portal.client_task_completions c
   where t.state = 'done' and c.workspace_id = t.workspace_id and c.client_id = t.client_id and c.task_id = t.id::text
     and c.version = t.version::text) as completed`

const tables = `portal.client_tasks t cross join lateral (
    select count(*)::int as items, (count(*) filter (where i.done))::int as ticked from portal.client_task_items i
    where i.workspace_id = t.workspace_id and i.task_id = t.id) n`

const matches = `t.workspace_id = scope.workspace and ($4 = '%%' or t.title ilike $4 or t.client_name ilike $4)`

/** Tasks on a page. */
const size = 50

const Key = z.tuple([z.iso.date().nullable(), z.uuid()])

/** The first due first; of what is done the last one first; of all the newest first. */
export async function tasksOf(
  database: Knex,
  { workspace, today }: Place,
  { show, search, after }: Sought,
): Promise<Page<ListedTask>> {
  const { by, type, direction } = orders[show]
  const [day, id] = keyOf(after, Key) ?? [null, null]
  const begun = id !== null && (by === '' || day !== null)
  const sign = direction === 'asc' ? '>' : '<'
  const past = by ? `(${by}, t.id) ${sign} ($5::${type}, $6::uuid)` : `$5::${type} is null and t.id < $6::uuid`
  const rows = await readWithin<ListedTask & { key: string | null }>(
    database,
    { workspace },
    {
      name: `portal.tasks-of-staff-${show}-${begun}`,
      text: `select ${columns}, ${by ? `(${by})::text` : 'null::text'} as key from ${tables}
             where ${matches} and ${conditions[show]} and ${begun ? past : '$5::date is null and $6::uuid is null'}
             order by ${by && `${by} ${direction}, `}t.id ${direction} limit ${size + 1}`,
      values: [today, likeOf(search), ...(begun ? [by ? day : null, id] : [null, null])],
    },
  )
  const { items, next } = page(rows, size, it => [it.key, it.id])
  return { items: items.map(({ key: _, ...it }) => it), next }
}

export type StaffCounts = Record<Show, number>

/** How many there are of each kind, to 1,001 at most. */
export async function countsOf(database: Knex, { workspace, today }: Place, search: string): Promise<StaffCounts> {
  const [row] = await readWithin<StaffCounts>(
    database,
    { workspace },
    {
      name: 'portal.tasks-counts-of-staff',
      text: `select ${Object.entries(conditions)
        .map(
          ([name, condition]) => `(select count(*)::int from (
            select from portal.client_tasks t where ${matches} and ${condition} and $3::date is not null limit 1001) it) as "${name}"`,
        )
        .join(', ')}`,
      values: [today, likeOf(search)],
    },
  )
  return row!
}

export interface StaffTask extends ListedTask {
  text: string | null
  by: string
  at: string
  version: number
  list: { id: string; title: string; done: boolean }[]
}

/** Throws NotFound. */
export async function findForStaff(database: Knex, { workspace, today }: Place, id: string): Promise<StaffTask> {
  const [found] = await readWithin<StaffTask>(
    database,
    { workspace },
    {
      name: 'portal.task-of-staff',
      text: `select ${columns}, t.text, t.asked_by as by, ${instant('t.at')} as at, t.version,
               (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'title', i.title, 'done', i.done) order by i.position, i.id), '[]')
                from portal.client_task_items i where i.workspace_id = t.workspace_id and i.task_id = t.id) as list
             from ${tables} where t.workspace_id = scope.workspace and t.id = $4`,
      values: [today, uuidOf(id)],
    },
  )
  if (!found) throw new NotFound()
  return found
}

/** A task of the CRM that a client completed in the portal. */
export interface CompletedLately {
  id: string
  /** As it was called then. */
  title: string | null
  client: string
  clientName: string | null
  name: string
  at: string
}

/** What clients completed in the portal and have not opened again, the latest first. */
export const completedLately = (database: Knex, workspace: string): Promise<CompletedLately[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.tasks-completed-lately',
      text: `select c.task_id as id, l.title, c.client_id as client, m.name as "clientName", c.by_name as name, ${instant('c.at')} as at
             from (select * from portal.client_task_completions it where it.workspace_id = scope.workspace
                   order by it.at desc limit 50) c
               left join lateral (
                 select l.subject->>'number' as title from portal.client_activity_logs l
                 where l.workspace_id = c.workspace_id and l.client_id = c.client_id and l.subject_id = c.task_id
                   and l.event = 'tasks.completed' order by l.id desc limit 1) l on true
               left join lateral (
                 select max(m.client_name) as name from portal.client_memberships m
                 where m.workspace_id = c.workspace_id and m.client_id = c.client_id) m on true
             order by c.at desc`,
    },
  )
