import type { Customer } from '../../src/crm/crm.ts'
import { findChangesBy } from '../../src/crm/mapping/changes.ts'
import { containing, countsOf, listed } from '../../src/crm/mapping/listing.ts'
import type { CrmMap, TasksMap, TaskValue } from '../../src/crm/mapping/map.ts'
import { belongs, checked, customerValues } from '../../src/crm/mapping/owned.ts'
import {
  dateOf,
  expectType,
  followPath,
  hintIndex,
  keyOfType,
  type Place,
  placeOf,
  type Reader,
  same,
  text,
} from '../../src/crm/mapping/reader.ts'
import { noteWrites, valueFor } from '../../src/crm/mapping/responses.ts'
import { type Ask, mapped } from '../../src/crm/mapping/section.ts'
import { ident, literal, param } from '../../src/crm/mapping/sql.ts'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { AlreadyDone, ChangedSince, NotOffered } from './errors.ts'
import { type State, type Summary, type sorts, states, type Task, type TaskFilter, type Tasks } from './port.ts'
import { questions } from './questions.ts'

/** How a map reads tasks that the CRM has for clients, and how it writes what they do. */
export default mapped<Tasks>({
  name: 'tasks',
  compile: (reader, map) => (map.tasks ? tasks(reader, map, map.tasks) : undefined),
  changes: (reader, map) => findChangesBy(reader, map, map.tasks),
  questions,
})

const today = `${param('today')}::date`
const toDo = `d.state in ('open', 'doing')`
const forReader = `(d.person is null or d.person = lower(${param('email')}::text))`

const conditions = {
  mine: `${toDo} and ${forReader}`,
  everybody: `d.state <> 'done'`,
  overdue: `${toDo} and d.due < ${today}`,
  done: `d.state = 'done'`,
}
const counted = { ...conditions, anybody: `${toDo} and d.person is null` }

const columns = `d.id::text as id, d.title, d.project, d.asked, d.due::text as due, d.finished::text as finished, d.state, d.word,
  coalesce(${toDo} and d.due < ${today}, false) as overdue, d.person, d.person_name, d.repeats, d.items, d.version`

/** A date that no task has, for those without one: a token of a page holds dates alone. */
const orders: Record<(typeof sorts)[number] | 'done', { by: string; type: string; down: boolean }> = {
  due: { by: `coalesce(d.due, date '9999-12-31')`, type: 'date', down: false },
  done: { by: `coalesce(d.finished, date '0001-01-01')`, type: 'date', down: true },
  newest: { by: '0::numeric', type: 'numeric', down: true },
}

function tasks(reader: Reader, map: CrmMap, it: TasksMap) {
  const k = placeOf(reader, it, 'k')
  const { relation, version, mine } = relationOf(reader, map, it, k)
  const key = k.type(k.key)
  const which = `${k.column(k.key)} = ${checked('id', keyOfType(key).cast)} and ${mine}`
  const write = (set: Record<string, TaskValue> | undefined) => updateOf(reader, it, k, { set, which, version })
  const { done, undone, moved } = it.changes?.off ? {} : (it.changes ?? {})
  const statements = { done: write(done), undone: write(undone), moved: write(moved) }
  const one = `select ${columns}, d.body from ${relation} where d.id = ${checked('id', keyOfType(key).cast)}`
  const used = new Set(Object.values(it.status.words))

  return (ask: Ask, customer: Customer): Tasks => {
    const scope = { ...customerValues(customer), email: customer.person.email }
    const find = async (id: string): Promise<Task> => {
      const [row] = await ask(one, { ...scope, id })
      if (!row) throw new NotFound()
      return { ...summaryOf(row, customer), text: row.body, items: row.items ?? [], undoable: false }
    }
    const list = ({ status, search, sort, after, size }: TaskFilter) =>
      listed(ask, {
        ...{ relation, columns, key, after, size, values: { ...scope, search: search && containing(search) } },
        parts: [{ of: 'true', ...orders[status === 'done' && sort === 'due' ? 'done' : sort] }],
        where: [...(status ? [conditions[status]] : []), ...(search ? [found] : [])],
      })
    return {
      columns: states.filter(state => used.has(state)),
      async list(filter) {
        const { items, next } = await list(filter)
        return { items: items.map(row => summaryOf(row, customer)), next }
      },
      overview: search =>
        countsOf(ask, {
          ...{ relation, statuses: counted, where: search ? [found] : ['true'] },
          values: { ...scope, search: search && containing(search) },
        }),
      find,
      ...changesOf(statements, { ask, find, customer, scope, it }),
    }
  }
}

const found = `(d.title ilike ${param('search')} or d.project ilike ${param('search')} or d.asked ilike ${param('search')})`

/** All tasks of a customer, as `d`. The version is made of all that the reader may have gone by. */
function relationOf(reader: Reader, map: CrmMap, it: TasksMap, k: Place) {
  const mine = `${belongs(reader, map, k, it)} and ${k.rows}${draftOf(k, it)}`
  hintIndex(k, it, it.client, [k.key], 'lists of tasks')
  const word = `${followPath(k, it.status.column).sql}::text`
  const [due, finished] = [dateOf(k, it.dueOn), dateOf(k, it.doneOn)]
  const person = it.person ? `lower(nullif(${text(k, it.person.email)}, ''))` : 'null::text'
  const [title, body] = [text(k, it.title), text(k, it.text)]
  const version = `md5(row(${[word, title, body, due, finished, person].join(', ')})::text)`
  const relation = `(select ${k.column(k.key)} as id, coalesce(nullif(${title}, ''), '–') as title, nullif(${body}, '') as body,
      nullif(${text(k, it.project)}, '') as project, nullif(${text(k, it.askedBy)}, '') as asked, ${due} as due,
      ${finished} as finished, coalesce(${word}, '') as word, ${stateOf(word, it)} as state, ${person} as person,
      ${it.person ? text(k, it.person.name) : 'null::text'} as person_name, nullif(${text(k, it.repeats)}, '') as repeats,
      ${itemsOf(reader, it, k)} as items, ${version} as version
    from ${k.from} where ${mine}) d`
  return { relation, version, mine }
}

const draftOf = (k: Place, { status }: TasksMap) =>
  status.draft?.length
    ? ` and (${followPath(k, status.column).sql}::text in (${status.draft.map(literal).join(', ')})) is not true`
    : ''

const valuesOf = ({ status }: TasksMap, state: State): string[] =>
  Object.entries(status.words).flatMap(([value, its]) => (its === state ? [value] : []))

const stateOf = (word: string, it: TasksMap): string => {
  const cases = states.flatMap(state => {
    const values = valuesOf(it, state)
    return values.length ? [`when ${word} in (${values.map(literal).join(', ')}) then '${state}'`] : []
  })
  return `case ${cases.join(' ')} else 'other' end`
}

function itemsOf(reader: Reader, { items }: TasksMap, task: Place): string {
  if (!items) return 'null::jsonb'
  const i = placeOf(reader, items, 'i')
  expectType(i, items.done, ['boolean'], 'true or false')
  hintIndex(i, items, items.of, [items.order], 'checklists of tasks')
  return `(select jsonb_agg(jsonb_build_object('id', ${i.column(i.key)}::text, 'title', coalesce(${text(i, items.title)}, ''),
      'done', ${i.column(items.done)} is true) order by ${i.column(items.order)}, ${i.column(i.key)})
    from ${i.from} where ${same(i, items.of, task, task.key)} and ${i.rows})`
}

interface Writing {
  set: Record<string, TaskValue> | undefined
  which: string
  version: string
}

/** Sets these columns of a task that still is what the reader saw; gives its new version. */
function updateOf(reader: Reader, it: TasksMap, k: Place, { set, which, version }: Writing): string | undefined {
  if (!set || !it.table) return undefined
  const names = Object.keys(set)
  const values = Object.entries(set).map(([name, said]) => `${ident(name)} = ${valueFor(k, name, said).value}`)
  noteWrites(reader, it.table, names)
  return `update ${k.from} set ${values.join(', ')}
    where ${which} and ${version} = ${param('version')}::text returning ${version} as version`
}

interface Changing {
  ask: Ask
  find: Tasks['find']
  customer: Customer
  scope: object
  it: TasksMap
}

/** What of the port the map can write. */
function changesOf(
  { done, undone, moved }: Record<'done' | 'undone' | 'moved', string | undefined>,
  { ask, find, customer, scope, it }: Changing,
): Pick<Tasks, 'complete' | 'reopen' | 'move'> {
  const write = async (sql: string, id: string, state: State, version: string): Promise<string | undefined> => {
    const on = customer.today
    const by = { name: customer.person.name, at: new Date(), on, date: on }
    const [row] = await ask(sql, { ...scope, ...by, id, version, state: valuesOf(it, state)[0] })
    return row?.version
  }
  return {
    ...(done && {
      async complete(id, version) {
        const { status: before } = await find(id)
        if (before === 'done') throw new AlreadyDone()
        if (before === 'other') throw new NotOffered()
        const after = await write(done, id, 'done', version)
        if (after) return { before, version: after }
        throw (await find(id)).status === 'done' ? new AlreadyDone() : new Conflict()
      },
    }),
    ...(undone && {
      async reopen(id, { before, version }) {
        if (!(await write(undone, id, before, version))) throw new ChangedSince()
      },
    }),
    ...(moved && {
      async move(id, column, version) {
        const { status } = await find(id)
        if (!['open', 'doing'].includes(status) || column === 'done') throw new NotOffered()
        if (status !== column && !(await write(moved, id, column, version))) throw new Conflict()
      },
    }),
  }
}

const summaryOf = (row: any, { person }: Customer): Summary => ({
  id: row.id,
  title: row.title,
  project: row.project,
  askedBy: row.asked,
  dueOn: row.due,
  status: row.state,
  ...(row.state === 'other' ? { word: row.word } : {}),
  overdue: row.overdue,
  for: forWhom(row, person.email),
  repeats: row.repeats,
  checklist: row.items && { done: row.items.filter((it: any) => it.done).length, all: row.items.length },
  doneOn: row.finished,
  completed: null,
  version: row.version,
})

function forWhom({ person, person_name: name }: any, email: string): Summary['for'] {
  if (person === null) return { kind: 'anybody', name: null }
  return person === email.toLowerCase() ? { kind: 'you', name: null } : { kind: 'colleague', name }
}
