import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import { completedColumns } from './completions.ts'
import { AlreadyDone, ChangedSince, NotOffered } from './errors.ts'
import {
  type Completion,
  type Counts,
  type State,
  type Summary,
  states,
  type Task,
  type TaskFilter,
  type Tasks,
} from './port.ts'

/** The port over Portico's own tables, bound to one customer. */
export function storeOf(customer: Customer, database: Knex): Tasks {
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const read: Read = (name, text, values) =>
    readWithin(database, scope, {
      name: `portal.tasks-${name}`,
      text,
      values: [customer.today, customer.person.id, ...values],
    })
  const own = { database, customer }

  return {
    columns: states,
    list: filter => list(filter, read),
    overview: async (search = '') => (await read<Counts>('counts', countsSql, [likeOf(search)]))[0]!,
    find: id => find(id, read),
    complete: (id, version) => complete(own, id, version),
    reopen: (id, completion) => reopen(own, id, completion),
    tick: (id, item, done) => tick(own, id, item, done),
    move: (id, column, version) => move(own, id, column, version),
  }
}

/** Runs a query that has the date and the reader's id as `$3` and `$4`, and its own values from `$5` on. */
type Read = <Row>(name: string, text: string, values: unknown[]) => Promise<Row[]>

const mine = 't.workspace_id = scope.workspace and t.client_id = scope.client'
const toDo = `t.state <> 'done'`
const due = `coalesce(t.due_on, '9999-12-31'::date)`
const late = `${toDo} and ${due} < $3::date`

const conditions = {
  mine: `${toDo} and (t.person_id is null or t.person_id::text = $4)`,
  everybody: toDo,
  overdue: late,
  done: `t.state = 'done'`,
}

/** What each order sorts by, before the id. */
const orders = {
  due: { by: due, type: 'date', direction: 'asc' },
  done: { by: 't.done_on', type: 'date', direction: 'desc' },
  newest: { by: undefined, type: 'date', direction: 'desc' },
} as const

export const likeOf = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`
const matches = (like: string) =>
  `(${like} = '%%' or t.title ilike ${like} or t.project ilike ${like} or t.asked_by ilike ${like})`

/** Not a join: under row-level security its casts would keep it from the index. */
const completed = `(select to_jsonb(it) from (
    select ${completedColumns('$4')} from portal.client_task_completions c
    where t.state = 'done' and c.workspace_id = t.workspace_id and c.client_id = t.client_id and c.task_id = t.id::text
      and c.version = t.version::text) it)`

const columns = `t.id, t.title, t.project, t.asked_by, t.due_on::text as due_on, t.state, (${late}) as overdue, t.person_id::text as person,
  t.person_id::text = $4 as own, t.person_name, t.done_on::text as done_on, t.version, ${completed} as completed,
  (select jsonb_build_object('done', count(*) filter (where i.done), 'all', count(*)) from portal.client_task_items i
   where i.workspace_id = t.workspace_id and i.task_id = t.id) as checklist`

const Key = z.tuple([z.iso.date().nullable(), z.uuid()])

async function list({ status, search, sort, after, size }: TaskFilter, read: Read): Promise<Page<Summary>> {
  const name = status === 'done' && sort === 'due' ? 'done' : sort
  const { by, type, direction } = orders[name]
  const [key, id] = keyOf(after, Key) ?? [null, null]
  const sign = direction === 'asc' ? '>' : '<'
  const begun = id !== null && (by === undefined || key !== null)
  const past = by ? `(${by}, t.id) ${sign} ($6::${type}, $7::uuid)` : `$6::${type} is null and t.id < $7::uuid`
  const rows = await read<Row & { key: string | null }>(
    `list-${name}-${status ?? 'all'}-${begun}`,
    `select ${columns}, ${by ? `(${by})::text` : 'null::text'} as key from portal.client_tasks t
     where ${mine} ${status ? `and ${conditions[status]}` : ''} and ${matches('$5')}
       and ${begun ? past : '$6::date is null and $7::uuid is null'}
     order by ${by ? `${by} ${direction}, ` : ''}t.id ${direction} limit $8`,
    [likeOf(search), ...(begun ? [key, id] : [null, null]), size + 1],
  )
  const { items, next } = page(rows, size, row => [row.key, row.id])
  return { items: items.map(summaryOf), next }
}

interface Row {
  id: string
  title: string
  project: string | null
  asked_by: string
  due_on: string | null
  state: State
  overdue: boolean
  person: string | null
  own: boolean | null
  person_name: string | null
  done_on: string | null
  version: number
  completed: { at: string; name: string; own: boolean; fresh: boolean } | null
  checklist: { done: number; all: number }
}

const summaryOf = (row: Row): Summary => ({
  id: row.id,
  title: row.title,
  project: row.project,
  askedBy: row.asked_by,
  dueOn: row.due_on,
  status: row.state,
  overdue: row.overdue,
  for: {
    kind: row.person === null ? 'anybody' : row.own ? 'you' : 'colleague',
    name: row.own ? null : row.person_name,
  },
  repeats: null,
  checklist: row.checklist.all ? row.checklist : null,
  doneOn: row.done_on,
  completed: row.completed && { at: row.completed.at, name: row.completed.name, own: row.completed.own },
  version: String(row.version),
})

/** Each counts to 1,001 at most, whatever the client has. */
const countsSql = `select ${Object.entries({ ...conditions, anybody: `${toDo} and t.person_id is null` })
  .map(
    ([name, condition]) => `(select count(*)::int from (
       select from portal.client_tasks t where ${mine} and ${matches('$5')} and ${condition} and $3::date is not null and $4::text is not null
       limit 1001) few) as ${name}`,
  )
  .join(', ')}`

async function find(id: string, read: Read): Promise<Task> {
  const [row] = await read<Row & { text: string | null; items: Task['items'] | null }>(
    'find',
    `select ${columns}, t.text, (
       select jsonb_agg(jsonb_build_object('id', i.id, 'title', i.title, 'done', i.done) order by i.position)
       from portal.client_task_items i where i.workspace_id = t.workspace_id and i.task_id = t.id) as items
     from portal.client_tasks t where ${mine} and t.id = $5`,
    [uuidOf(id)],
  )
  if (!row) throw new NotFound()
  return { ...summaryOf(row), text: row.text, items: row.items ?? [], undoable: row.completed?.fresh ?? false }
}

export const uuidOf = (id: string) => z.uuid().safeParse(id).data ?? null

interface Own {
  database: Knex
  customer: Customer
}

/** The task as it is now, which nobody else changes before this transaction ends. Throws NotFound. */
async function locked({ database, customer }: Own, id: string): Promise<{ state: State; version: string }> {
  const [row] = await query<{ state: State; version: string }>(database, {
    name: 'portal.lock-task',
    text: `select t.state, t.version::text as version from portal.client_tasks t
           where t.workspace_id = $1 and t.client_id = $2 and t.id = $3 for update`,
    values: [customer.workspace.id, customer.client.id, uuidOf(id)],
  })
  if (!row) throw new NotFound()
  return row
}

/** Gives the new version. */
async function setState({ database, customer }: Own, id: string, state: State): Promise<string> {
  const [row] = await query<{ version: string }>(database, {
    name: 'portal.set-task-state',
    text: `update portal.client_tasks set state = $4, version = version + 1, done_on = case when $4 = 'done' then $5::date end
           where workspace_id = $1 and client_id = $2 and id = $3 returning version::text as version`,
    values: [customer.workspace.id, customer.client.id, id, state, customer.today],
  })
  return row!.version
}

async function complete(own: Own, id: string, version: string): Promise<Completion> {
  const task = await locked(own, id)
  if (task.state === 'done') throw new AlreadyDone()
  if (task.version !== version) throw new Conflict()
  return { before: task.state, version: await setState(own, id, 'done') }
}

async function reopen(own: Own, id: string, { before, version }: Completion): Promise<void> {
  const task = await locked(own, id)
  if (task.state !== 'done' || task.version !== version) throw new ChangedSince()
  await setState(own, id, before)
}

async function move(own: Own, id: string, column: State, version: string): Promise<void> {
  const task = await locked(own, id)
  if (task.state === 'done' || column === 'done') throw new NotOffered()
  if (task.state === column) return
  if (task.version !== version) throw new Conflict()
  await setState(own, id, column)
}

/** Ticks do not count as a change: two people may tick at once, and either completes it. */
async function tick(own: Own, id: string, item: string, done: boolean): Promise<void> {
  const task = await locked(own, id)
  if (task.state === 'done') throw new NotOffered()
  const [row] = await query(own.database, {
    name: 'portal.tick-task-item',
    text: `update portal.client_task_items set done = $4
           where workspace_id = $1 and task_id = $2 and id = $3 returning id`,
    values: [own.customer.workspace.id, id, uuidOf(item), done],
  })
  if (!row) throw new NotFound()
}
