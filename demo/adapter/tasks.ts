import type { Knex } from 'knex'
import { z } from 'zod'
import { AlreadyDone, ChangedSince, NotOffered } from '../../plugins/tasks/errors.ts'
import type { State, Task, TaskFilter, Tasks } from '../../plugins/tasks/port.ts'
import { Conflict, type Customer, keyOf, NotFound, page, query } from '../../src/index.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'
import { containing, idOf } from './sql.ts'

/** Tasks that staff have marked as the client's to do. This CRM assigns them to nobody at the client. */
const mine = `t.client_id = $2 and t.for_client
  and exists (select from public.clients c where c.id = $2 and c.workspace_id::text = $1)`

const tables = `public.tasks t left join public.projects p on p.id = t.project_id left join public.staff s on s.id = p.manager`

/** All that a client may have gone by. */
const version = `md5(row(t.title, t.details, t.due_on, t.state, t.done_on)::text)`
const toDo = `t.state <> 'done'`
const late = `${toDo} and t.due_on < $3::date`

const columns = `t.id, t.title, t.details, p.name as project, s.full_name as asked_by, t.due_on::text as due_on, t.state,
  coalesce(${late}, false) as overdue, t.done_on::text as done_on, ${version} as version`

const conditions = { mine: toDo, everybody: toDo, overdue: late, done: `t.state = 'done'` }
const found = `($4 = '%%' or t.title ilike $4 or p.name ilike $4 or s.full_name ilike $4)`

const orders = {
  due: { by: `coalesce(t.due_on, date '9999-12-31')`, down: false },
  done: { by: 't.done_on', down: true },
  newest: { by: `date '2000-01-01'`, down: true },
}

const After = z.tuple([z.iso.date(), z.int32()])

function tasks(db: Knex, { workspace, client, today }: Customer): Tasks {
  const scope = [workspace.id, client.id, today]
  const find = async (id: string): Promise<Task> => {
    const [row] = await query(db, {
      name: 'crm.task',
      text: `select ${columns} from ${tables} where ${mine} and t.id = $4`,
      values: [...scope, idOf(id)],
    })
    if (!row) throw new NotFound()
    return task(row)
  }
  /** Gives the new version, where the task still is what it was. */
  const setState = async (id: string, state: State, its: string): Promise<string | undefined> => {
    const [row] = await query<{ version: string }>(db, {
      name: 'crm.task.state',
      text: `update public.tasks t set state = $5::text, done_on = case when $5::text = 'done' then $3::date end
             where ${mine} and t.id = $4 and ${version} = $6 returning ${version} as version`,
      values: [...scope, idOf(id), state, its],
    })
    return row?.version
  }
  return {
    columns: ['open', 'doing', 'done'],
    async list({ status, search, sort, after, size }: TaskFilter) {
      const name = status === 'done' && sort === 'due' ? 'done' : sort
      const { by, down } = orders[name]
      const [key, id] = keyOf(after, After) ?? [null, null]
      const rows = await query(db, {
        name: `crm.tasks.${name}.${status ?? 'all'}`,
        text: `select ${columns}, (${by})::text as key from ${tables}
               where ${mine} and ${found} and ${status ? conditions[status] : 'true'} and $3::date is not null
                 and ($5::date is null or (${by}, t.id) ${down ? '<' : '>'} ($5::date, $6::int))
               order by ${by} ${down ? 'desc' : 'asc'}, t.id ${down ? 'desc' : 'asc'} limit $7`,
        values: [...scope, containing(search), key, id, size + 1],
      })
      const { items, next } = page(rows, size, row => [row.key, row.id])
      return { items: items.map(task).map(({ text, items, undoable, ...summary }) => summary), next }
    },
    async overview(search) {
      const count = (name: string, condition: string) =>
        `(select count(*)::int from (select from ${tables} where ${mine} and ${found} and ${condition} limit 1001) few) as ${name}`
      const counted = Object.entries({ ...conditions, anybody: toDo }).map(([name, condition]) =>
        count(name, condition),
      )
      const [row] = await query(db, {
        name: 'crm.tasks.counts',
        text: `select ${counted.join(', ')}`,
        values: [...scope, containing(search)],
      })
      return row
    },
    find,
    async complete(id, expected) {
      const { status } = await find(id)
      if (status === 'done' || status === 'other') throw new AlreadyDone()
      const after = await setState(id, 'done', expected)
      if (after) return { before: status, version: after }
      throw (await find(id)).status === 'done' ? new AlreadyDone() : new Conflict()
    },
    async reopen(id, { before, version }) {
      if (!(await setState(id, before, version))) throw new ChangedSince()
    },
    async move(id, column, expected) {
      const { status } = await find(id)
      if (status === 'done' || column === 'done') throw new NotOffered()
      if (status !== column && !(await setState(id, column, expected))) throw new Conflict()
    },
  }
}

const task = (row: any): Task => ({
  id: String(row.id),
  title: row.title,
  project: row.project,
  askedBy: row.asked_by,
  dueOn: row.due_on,
  status: row.state,
  overdue: row.overdue,
  for: { kind: 'anybody', name: null },
  repeats: null,
  checklist: null,
  doneOn: row.done_on,
  completed: null,
  version: row.version,
  text: row.details,
  items: [],
  undoable: false,
})

const part: AdapterPart = {
  reads: of('tasks', 'projects', 'clients', 'staff'),
  writes: { tasks: ['state', 'done_on'] },
  port: tasks,
}
export default part
