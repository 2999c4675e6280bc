import { Conflict } from '../../http/errors.ts'
import { subtract } from '../../platform/money.ts'
import { kindOf } from '../catalogue.ts'
import type { ClientResponse, TakesResponses } from '../response.ts'
import { sendCall } from './call.ts'
import type { LinesMap, RespondableMap, ResponseMap, ResponseValue, TaskValue } from './map.ts'
import { checked } from './owned.ts'
import { expectType, keyOfType, type Place, placeOf, type Reader, same } from './reader.ts'
import type { Ask } from './section.ts'
import { ident, literal, param } from './sql.ts'

interface ResponseStatements {
  /** Sets columns of the document, where it is still open; gives its key. */
  update: string
  /** Whether the document says just that already. */
  already: string
  choose: string | undefined
}

interface Document {
  place: Place
  key: string
  /** Over the document `p`, of this customer. */
  mine: string
  /** The same, and that it waits for an answer. */
  open: string
}

/** How a document's answers are written, in SQL; undefined where the map says nothing of them, or that they are off. */
export function responsesOf(reader: Reader, it: RespondableMap, document: Document) {
  const { responses: answers } = it
  if (!answers || answers.off) return undefined
  const written = (one: ResponseMap | undefined) =>
    one && 'set' in one ? responseStatements(reader, it, document, one.set, answers) : undefined
  return {
    accepted: { map: answers.accepted, sql: written(answers.accepted) },
    declined: { map: answers.declined, sql: written(answers.declined) },
    selection: answers.selection === true,
    parts: canLeaveOutLines(it),
  }
}
export type Responses = NonNullable<ReturnType<typeof responsesOf>>

/** Whether the CRM's lines say both that they are optional and that they are chosen. */
const canLeaveOutLines = ({ responses: answers, lines }: RespondableMap) =>
  answers?.selection === true && answers.parts === true && Boolean(lines?.optional && lines.chosen)

function responseStatements(
  reader: Reader,
  it: RespondableMap,
  document: Document,
  set: Record<string, ResponseValue>,
  { selection }: NonNullable<RespondableMap['responses']>,
): ResponseStatements {
  const { place, key, mine, open } = document
  const table = it.table ?? ''
  const columns = Object.entries(set).map(([name, said]) => ({
    name,
    own: place.column(name),
    ...valueFor(place, name, said),
  }))
  noteWrites(
    reader,
    table,
    columns.map(one => one.name),
  )
  const which = `${place.column(place.key)} = ${checked('id', keyOfType(key).cast)}`
  const plain = columns.filter(one => !one.sum)
  return {
    update: `update ${place.from} set ${columns
      .map(one => `${ident(one.name)} = ${one.sum ? `coalesce(${one.value}, ${one.own})` : one.value}`)
      .join(', ')} where ${which} and ${open} returning 1 as done`,
    already: `select 1 as done from ${place.from} where ${which} and ${mine} and ${plain
      .map(one => `${one.own} is not distinct from ${one.value}`)
      .join(' and ')}`,
    choose: selection && it.lines ? selectionUpdate(reader, it.lines, place, key, canLeaveOutLines(it)) : undefined,
  }
}

function selectionUpdate(reader: Reader, lines: LinesMap, place: Place, key: string, parts: boolean): string {
  const l = placeOf(reader, lines, 'l')
  const set = [
    [parts ? lines.optional : undefined, 'optional', 'boolean'],
    [lines.chosen, 'chosen', 'boolean'],
    [lines.quantity, 'quantity', 'text'],
    [lines.total, 'total', 'text'],
  ].filter((it): it is [string, string, string] => it[0] !== undefined)
  noteWrites(
    reader,
    lines.table ?? '',
    set.map(([name]) => name),
  )
  const document: Place = { ...place, column: () => checked('id', keyOfType(key).cast) }
  return `update ${l.from} set ${set.map(([name, from]) => `${ident(name)} = c.${from}::${l.type(name)}`).join(', ')}
    from jsonb_to_recordset(${param('lines')}::jsonb) as c(id text, optional boolean, chosen boolean, quantity text, total text)
    where ${same(l, lines.of, document, place.key)} and ${l.column(l.key)}::text = c.id and ${l.rows}`
}

/** Notes the columns that are written: for the role's grants. */
export function noteWrites({ writes }: Reader, table: string, columns: string[]) {
  const full = table.includes('.') ? table : `public.${table}`
  writes[full] ??= new Set()
  for (const it of columns) writes[full].add(it)
}

/** The value of a column, cast to its type. `sum`: it is only set if the selection differs. */
export function valueFor(
  place: Place,
  name: string,
  said: ResponseValue | TaskValue,
): { value: string; sum?: boolean } {
  const type = place.type(name)
  if (typeof said === 'object')
    return { value: said.value === null ? 'null' : `${literal(String(said.value))}::${type}` }
  if (said === 'time') {
    expectType(place, name, ['timestamptz', 'timestamp', 'date'], 'a time')
    const at = `${param('at')}::timestamptz`
    if (kindOf(type) === 'timestamptz') return { value: at }
    if (kindOf(type) === 'date') return { value: `${param('on')}::date` }
    return { value: `(${at} at time zone ${literal(place.reader.timestamps)})` }
  }
  const sum = said === 'net' || said === 'tax' || said === 'total'
  return { value: `${param(said.replace(' ', '_'))}::text::${type}`, ...(sum ? { sum } : {}) }
}

/** The parts of a response that statements may use. */
const valuesOf = ({ act, at, on, by, reason, orderNumber, requestedOn, selection, version }: ClientResponse) => ({
  ...{ at, on, date: on, name: by.name, email: by.email, contact: by.contact, act, version },
  ...{ reason, order_number: orderNumber, wished_on: requestedOn },
  note:
    [reason, orderNumber && `Order ${orderNumber}`, requestedOn && `Wished by ${requestedOn}`]
      .filter(Boolean)
      .join('. ') || null,
  net: selection?.sums.net.amount ?? null,
  tax: selection ? subtract(selection.sums.total.amount, selection.sums.net.amount) : null,
  total: selection?.sums.total.amount ?? null,
  lines: selection && JSON.stringify(selection.lines.map(it => ({ ...it, optional: true, total: it.total.amount }))),
})

type Find = (id: string) => Promise<{ status: string }>

/** The part of a port that takes answers: in the CRM's tables, or by its API or a function. */
export function respondTo(answers: Responses, ask: Ask, scope: object, find: Find): TakesResponses {
  const { accepted, declined } = answers
  const outside = [accepted.map, declined.map].some(it => it && !('set' in it))
  const tell = async (id: string, answer: ClientResponse) => {
    const { map, sql } = answers[answer.act]
    if (!map) throw new Error(`The map does not say how a document is ${answer.act}.`)
    if (sql) return write(sql, ask, { ...scope, id, ...valuesOf(answer) })
    // It may have arrived without our having heard of it.
    const { status } = await find(id)
    if (status === answer.act) return
    if (status !== 'open') throw new Conflict()
    if ('run' in map) await map.run(id, answer)
    else if ('call' in map) for (const it of [map.call].flat()) await sendCall(it, answer.key, knownOf(id, answer))
  }
  return { ...(outside ? { submit: tell } : { respond: tell }), parts: answers.parts }
}

async function write({ update, already, choose }: ResponseStatements, ask: Ask, values: Record<string, unknown>) {
  const [done] = await ask(update, values)
  if (!done && !(await ask(already, values)).length) throw new Conflict()
  if (done && choose && values.lines) await ask(choose, values)
}

/** What the gaps of a call may name. */
const knownOf = (id: string, answer: ClientResponse) => ({
  id,
  key: answer.key,
  ...valuesOf(answer),
  time: answer.at.toISOString(),
  utc: answer.at.toISOString().slice(0, 19).replace('T', ' '),
})
