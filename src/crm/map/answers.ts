import { Conflict } from '../../errors.ts'
import type { Answer, Offers } from '../../offer/port.ts'
import { kindOf } from '../catalogue.ts'
import type { AnswerMap, Call, LinesMap, OffersMap, Said } from './map.ts'
import { checked } from './owned.ts'
import { expect, keyOfType, type Place, placeOf, type Reader, same } from './reader.ts'
import type { Ask } from './section.ts'
import { ident, literal, param } from './sql.ts'

interface Written {
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
export function answersOf(reader: Reader, it: OffersMap, document: Document) {
  const { answers } = it
  if (!answers || answers.off) return undefined
  const written = (one: AnswerMap | undefined) =>
    one && 'set' in one ? writtenBy(reader, it, document, one.set, answers) : undefined
  return {
    accepted: { map: answers.accepted, sql: written(answers.accepted) },
    declined: { map: answers.declined, sql: written(answers.declined) },
    choice: answers.choice === true,
    parts: parted(it),
  }
}
export type Answers = NonNullable<ReturnType<typeof answersOf>>

/** Whether the CRM's lines say both that they are optional and that they are chosen. */
const parted = ({ answers, lines }: OffersMap) =>
  answers?.choice === true && answers.parts === true && Boolean(lines?.optional && lines.chosen)

function writtenBy(
  reader: Reader,
  it: OffersMap,
  document: Document,
  set: Record<string, Said>,
  { choice }: NonNullable<OffersMap['answers']>,
): Written {
  const { place, key, mine, open } = document
  const table = it.table ?? ''
  const columns = Object.entries(set).map(([name, said]) => ({
    name,
    own: place.column(name),
    ...valueFor(place, name, said),
  }))
  writes(
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
    choose: choice && it.lines ? choosing(reader, it.lines, place, key, parted(it)) : undefined,
  }
}

function choosing(reader: Reader, lines: LinesMap, place: Place, key: string, parts: boolean): string {
  const l = placeOf(reader, lines, 'l')
  const set = [
    [parts ? lines.optional : undefined, 'optional', 'boolean'],
    [lines.chosen, 'chosen', 'boolean'],
    [lines.quantity, 'quantity', 'text'],
    [lines.total, 'total', 'text'],
  ].filter((it): it is [string, string, string] => it[0] !== undefined)
  writes(
    reader,
    lines.table ?? '',
    set.map(([name]) => name),
  )
  const document: Place = { ...place, column: () => checked('id', keyOfType(key).cast) }
  return `update ${l.from} set ${set.map(([name, from]) => `${ident(name)} = c.${from}::${l.type(name)}`).join(', ')}
    from jsonb_to_recordset(${param('lines')}::jsonb) as c(id text, optional boolean, chosen boolean, quantity text, total text)
    where ${same(l, lines.of, document, place.key)} and ${l.column(l.key)}::text = c.id and ${l.rows}`
}

function writes({ writes }: Reader, table: string, columns: string[]) {
  const full = table.includes('.') ? table : `public.${table}`
  writes[full] ??= new Set()
  for (const it of columns) writes[full].add(it)
}

/** What a column is set to, as its type has it; `sum` where it stays as it is unless something else was chosen. */
function valueFor(place: Place, name: string, said: Said): { value: string; sum?: boolean } {
  const type = place.type(name)
  if (typeof said === 'object')
    return { value: said.value === null ? 'null' : `${literal(String(said.value))}::${type}` }
  if (said === 'time') {
    expect(place, name, ['timestamptz', 'timestamp', 'date'], 'a time')
    const at = `${param('at')}::timestamptz`
    if (kindOf(type) === 'timestamptz') return { value: at }
    if (kindOf(type) === 'date') return { value: `${param('on')}::date` }
    return { value: `(${at} at time zone ${literal(place.reader.timestamps)})` }
  }
  const sum = said === 'net' || said === 'tax' || said === 'total'
  return { value: `${param(said.replace(' ', '_'))}::text::${type}`, ...(sum ? { sum } : {}) }
}

/** What of an answer the statements may name. */
const valuesOf = ({ act, at, on, by, reason, orderNumber, wishedOn, choice, version }: Answer) => ({
  ...{ at, on, date: on, name: by.name, email: by.email, contact: by.contact, act, version },
  ...{ reason, order_number: orderNumber, wished_on: wishedOn },
  note:
    [reason, orderNumber && `Order ${orderNumber}`, wishedOn && `Wished by ${wishedOn}`].filter(Boolean).join('. ') ||
    null,
  net: choice?.sums.net.amount ?? null,
  tax: choice ? minus(choice.sums.total.amount, choice.sums.net.amount) : null,
  total: choice?.sums.total.amount ?? null,
  lines: choice && JSON.stringify(choice.lines.map(it => ({ ...it, optional: true, total: it.total.amount }))),
})

/** The part of a port that takes answers: in the CRM's tables, or by its API or a function. */
export function answering(answers: Answers, ask: Ask, scope: object, find: Offers['find']): Partial<Offers> {
  const { accepted, declined } = answers
  const outside = [accepted.map, declined.map].some(it => it && !('set' in it))
  const tell = async (id: string, answer: Answer) => {
    const { map, sql } = answers[answer.act]
    if (!map) throw new Error(`The map does not say how an offer is ${answer.act}.`)
    if (sql) return write(sql, ask, { ...scope, id, ...valuesOf(answer) })
    // It may have arrived without our having heard of it.
    const { status } = await find(id)
    if (status === answer.act) return
    if (status !== 'open') throw new Conflict()
    if ('run' in map) await map.run(id, answer)
    else if ('call' in map) for (const it of [map.call].flat()) await send(it, id, answer)
  }
  return { ...(outside ? { passOn: tell } : { answer: tell }), parts: answers.parts }
}

async function write({ update, already, choose }: Written, ask: Ask, values: Record<string, unknown>) {
  const [done] = await ask(update, values)
  if (!done && !(await ask(already, values)).length) throw new Conflict()
  if (done && choose && values.lines) await ask(choose, values)
}

/** Statuses that mean: not any more. Others are tried again. */
const conflicts = [404, 409, 410, 412, 422]

/** A call of the CRM's own API. `{id}` and the like are filled in as JSON strings; a header may name the environment. */
async function send(it: Call, id: string, answer: Answer) {
  const known: Record<string, unknown> = {
    id,
    key: answer.key,
    ...valuesOf(answer),
    time: answer.at.toISOString(),
    utc: answer.at.toISOString().slice(0, 19).replace('T', ' '),
  }
  const text = (template: string, encoded: (value: string) => string) =>
    template.replace(/\{(?:env (\w+)|(\w+(?: \w+)?))\}/g, (all, env, name = '') => {
      // What the environment says is ours: an address among others.
      if (env) return process.env[env] ?? ''
      const value = known[name.replace(' ', '_')]
      return value === undefined ? all : encoded(String(value ?? ''))
    })
  const filled = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value === '{id}' && /^\d+$/.test(id) && it.numericIds ? Number(id) : text(value, String)
    if (Array.isArray(value)) return value.map(filled)
    if (value === null || typeof value !== 'object') return value
    // What there is nothing to say of is left as it is there.
    const said = Object.entries(value).filter(([, one]) => typeof one !== 'string' || known[namedBy(one)] !== null)
    return Object.fromEntries(said.map(([name, one]) => [name, filled(one)]))
  }
  const response = await fetch(text(it.url, encodeURIComponent), {
    method: it.method ?? 'POST',
    headers: {
      'Content-Type': 'application/json',
      [it.key ?? 'Idempotency-Key']: answer.key,
      ...Object.fromEntries(Object.entries(it.headers ?? {}).map(([name, value]) => [name, text(value, String)])),
    },
    body: JSON.stringify(filled(it.body ?? {})),
    redirect: 'error',
    signal: AbortSignal.timeout(15_000),
  })
  if (response.ok) return
  if ((it.conflicts ?? conflicts).includes(response.status)) throw new Conflict()
  throw new Error(`The CRM answered ${response.status}.`)
}

/** The gap that a text is, if it is nothing else. */
const namedBy = (text: string) => /^\{(\w+(?: \w+)?)\}$/.exec(text)?.[1]?.replace(' ', '_') ?? ''

/** Of two decimals with as many places. */
function minus(a: string, b: string): string {
  const places = a.split('.')[1]?.length ?? 0
  const whole = (it: string) => BigInt(it.replace('.', ''))
  const difference = whole(a) - whole(b)
  const digits = String(difference < 0n ? -difference : difference).padStart(places + 1, '0')
  const cut = digits.length - places
  return `${difference < 0n ? '-' : ''}${digits.slice(0, cut)}${places ? `.${digits.slice(cut)}` : ''}`
}
