import { type Catalogue, type Kind, kindOf, qualified } from '../catalogue.ts'
import { didYouMean } from './edit-distance.ts'
import { markedHtml } from './html.ts'
import type { Rows, Text, Values } from './map.ts'
import { hasParam, ident, literal, param, tableIdent } from './sql.ts'

/** What is wrong with a map on this database, and which section it concerns. */
export interface MapProblem {
  section: string
  sentence: string
}

/** An index by which a question is quick: the first finds the rows, the others give their order. */
export interface IndexHint {
  table: string
  /** In SQL: columns, or what an order is made of. */
  columns: string[]
  /** Only for rows where this is so. */
  where?: string
  of: string
}

/** A step of a path: the table's rows are found by this column, so that one of them must be all there are. */
export interface Step {
  section: string
  /** As the map has it. */
  path: string
  table: string
  key: string
}

/** Reads a section's part of the map. Notes every column that ends up in SQL. */
export interface Reader {
  section: string
  /** Undefined where nothing is known of the database: the SQL is then only good for what it notes. */
  catalogue: Catalogue | undefined
  reads: Record<string, Set<string>>
  /** What answers set. */
  writes: Record<string, Set<string>>
  problems: MapProblem[]
  /** Indexes that would speed up its queries, for `portico doctor`. */
  indexHints: IndexHint[]
  /** The steps of all its paths, to see on real rows whether each leads to one row. */
  steps: Step[]
  /** IANA name, for timestamps without zone. */
  timestamps: string
}

/** A table or query of the map, under an alias, with its columns in SQL. */
export interface Place {
  /** For FROM. */
  from: string
  alias: string
  key: string
  /** Which rows there are, as a condition. */
  rows: string
  column(name: string): string
  type(name: string): string
  kind(name: string): Kind
  /** As it is called in sentences. */
  named(name: string): string
  reader: Reader
}

/** A mapped table under an alias. Checks that its columns exist. */
export function placeOf(reader: Reader, rows: Rows, alias: string): Place {
  const { table, query } = rows
  for (const [name, columns] of Object.entries(rows.reads ?? {})) for (const it of columns) typeOf(reader, name, it)
  const type = (name: string) => (table ? typeOf(reader, table, name) : fieldOf(reader, query ?? '', name))
  const place: Place = {
    from: `${table ? tableIdent(table) : `(${query}\n)`} ${alias}`,
    alias,
    key: rows.id ?? 'id',
    rows: '',
    reader,
    type,
    kind: name => kindOf(type(name)),
    named: name => `${table ?? `the query of ${reader.section}`}.${name}`,
    column(name) {
      type(name)
      return `${alias}.${ident(name)}`
    },
  }
  place.rows = conditions(place, rows)
  return place
}

const unknown = 'unknown'

/** The type of a column, which this section reads from now on. */
function typeOf({ section, catalogue, reads, problems }: Reader, table: string, name: string): string {
  const full = qualified(table)
  reads[full] ??= new Set()
  reads[full].add(name)
  if (!catalogue) return 'text'
  const columns = catalogue.tables.get(full)
  const told = (sentence: string) => {
    if (!problems.some(it => it.section === section && it.sentence === sentence)) problems.push({ section, sentence })
    return unknown
  }
  if (!columns) return told(`${table}: no such table`)
  const column = columns.get(name)
  if (!column) return told(`${table}.${name}: no such column${didYouMean(name, columns.keys())}`)
  if (!column.readable) told(`${table}.${name}: the portal’s role may not read it`)
  return column.type
}

function fieldOf({ section, catalogue, problems }: Reader, query: string, name: string): string {
  const fields = catalogue?.queries.get(query)
  if (!catalogue) return 'text'
  const told = (sentence: string) => {
    if (!problems.some(it => it.sentence === sentence)) problems.push({ section, sentence })
    return unknown
  }
  if (!fields || fields instanceof Error) return told(`${section}: the query is refused: ${fields?.message ?? ''}`)
  return fields.get(name)?.type ?? told(`${section}: the query has no column ${name}${didYouMean(name, fields.keys())}`)
}

/** Says what is wrong where a column is of a kind that cannot be used so. */
export function expectType(place: Place, name: string, kinds: Kind[], what: string) {
  const { catalogue, problems, section } = place.reader
  const type = place.type(name)
  if (!catalogue || type === unknown || kinds.includes(kindOf(type))) return
  problems.push({ section, sentence: `${place.named(name)}: is ${type}, and cannot be ${what}` })
}

/** Whether a row has one of these values in each of the columns; never null. */
export const conditionOf = (place: Place, values: Record<string, Values>) =>
  Object.entries(values)
    .map(([name, its]) => isOneOf(place, name, its))
    .join(' and ') || 'true'

function conditions(place: Place, { only = {}, except = {}, deleted }: Rows): string {
  const parts = [
    ...Object.entries(only).map(([name, its]) => isOneOf(place, name, its)),
    ...Object.entries(except).map(([name, its]) => `not ${isOneOf(place, name, its)}`),
  ]
  if (typeof deleted === 'object') {
    expectType(place, deleted.column, ['boolean'], 'true or false: name its values in `only` or `except`')
    parts.push(`${place.column(deleted.column)} is ${deleted.when ? 'not true' : 'not false'}`)
  }
  if (typeof deleted === 'string')
    parts.push(`${place.column(deleted)} is ${place.kind(deleted) === 'boolean' ? 'not true' : 'null'}`)
  return parts.join(' and ') || 'true'
}

/** Never null. Said so that no index of a whole workspace's states is taken beside that of the client. */
export function isOneOf(place: Place, name: string, values: Values): string {
  const given = values.filter(it => it !== null).map(String)
  const whole = place.kind(name) === 'integer' && given.every(it => /^(0|-?[1-9]\d{0,8})$/.test(it))
  const some = whole ? given : given.map(literal)
  const column = whole || place.kind(name) === 'text' ? place.column(name) : `${place.column(name)}::text`
  const parts = [
    some.length ? `(${column} in (${some.join(', ')})) is true` : '',
    values.includes(null) ? `${column} is null` : '',
  ]
  return `(${parts.filter(Boolean).join(' or ') || 'false'})`
}

/** The steps of `'project_id > projects.client_id'`: the first column, and then table, key and column of each. */
export function pathOf(source: string): { column: string; steps: { table: string; key: string; column: string }[] } {
  const [column = '', ...steps] = source.split(' > ')
  return {
    column: column.trim(),
    steps: steps.map(step => {
      const [, table = '', key = 'id', name = ''] = /^(.+?)(?:\((.+)\))?\.([^.]+)$/.exec(step.trim()) ?? []
      if (!table)
        throw new TypeError(`crm.map: "${source}" is no path: after > comes table.column or table(key).column.`)
      return { table, key, column: name }
    }),
  }
}

/**
 * A column, or what a path leads to, with its type. `where` is its condition where it is compared: an index may help
 * there. `rows` selects all that the path leads to, also where they are several.
 */
export function followPath(
  place: Place,
  source: string,
): { sql: string; type: string; rows: string; where(equals: string): string } {
  const { column, steps } = pathOf(source)
  if (!steps.length) {
    const sql = place.column(column)
    return { sql, type: place.type(column), rows: `select ${sql}`, where: equals => `${sql} = ${equals}` }
  }
  const joined = steps.map((step, at) => ({
    ...step,
    place: placeOf(place.reader, { table: step.table, id: step.key }, `${place.alias}${at + 1}`),
  }))
  const { section } = place.reader
  place.reader.steps.push(...steps.map(({ table, key }) => ({ section, path: source, table, key })))
  const [first, ...others] = joined as [(typeof joined)[number], ...typeof joined]
  const last = joined.at(-1)!
  const own = (it: typeof first) => it.place.column(it.key)
  const join = [
    first.place.from,
    ...others.map(
      (it, at) => `join ${it.place.from} on ${same(it.place, it.key, joined[at]!.place, joined[at]!.column)}`,
    ),
  ].join(' ')
  const end = last.place.column(last.column)
  const rows = `select ${end} from ${join} where ${same(first.place, first.key, place, column)}`
  return {
    sql: `(${rows})`,
    rows,
    type: last.place.type(last.column),
    where: equals => `${place.column(column)} in (select ${own(first)} from ${join} where ${end} = ${equals})`,
  }
}

/**
 * Notes an index that would speed up finding rows by a key in this order. `portico doctor` lists those that are
 * missing. Orders that depend on another table or on the reader can have none.
 */
export function hintIndex(place: Place, { table }: Rows, source: string, order: string[], of: string, where = '') {
  const { column, steps } = pathOf(source)
  const { indexHints } = place.reader
  if (!table) return
  const bare = (it: string) => it.replaceAll(`${place.alias}.`, '')
  const sql = (it: string) => (/["(]/.test(it) ? bare(it) : ident(it))
  const elsewhere = (it: string) => /\(\s*select\b/i.test(it) || it.includes(`${place.alias}_currency.`)
  if ([...order, where].some(it => hasParam(it) || elsewhere(it))) return
  const columns = [ident(column), ...(steps.length ? [] : order.map(sql))]
  indexHints.push({ table: qualified(table), columns, of, ...(where && !steps.length ? { where: bare(where) } : {}) })
  const [last] = steps.slice(-1)
  if (last) indexHints.push({ table: qualified(last.table), columns: [ident(last.column)], of })
}

/** Keys of different types are compared as texts. */
export function same(a: Place, name: string, b: Place, other: string): string {
  const [one, two] = [a.column(name), b.column(other)]
  return a.kind(name) === b.kind(other) ? `${one} = ${two}` : `${one}::text = ${two}::text`
}

/** SQL for a text, or NULL where the map has none. */
export function text(place: Place, source: Text | undefined): string {
  if (source === undefined) return 'null::text'
  if (typeof source === 'string') return textOf(followPath(place, source))
  if (Array.isArray(source)) return `nullif(concat_ws(' ', ${source.map(it => text(place, it)).join(', ')}), '')`
  if ('first' in source) return `coalesce(${source.first.map(it => `nullif(${text(place, it)}, '')`).join(', ')})`
  if ('value' in source) return literal(source.value)
  const { column, json, html, prefix } = source
  const { sql } = followPath(place, column)
  const taken = json === undefined ? `${sql}::text` : `(${sql} ->> ${literal(json)})`
  const whole = prefix ? `(${literal(prefix)} || nullif(${taken}, ''))` : taken
  return html ? markedHtml(`nullif(btrim(${whole}), '')`) : whole
}

const textOf = ({ sql, type }: { sql: string; type: string }) =>
  /^(text|character varying)/.test(type) ? sql : `${sql}::text`

/** SQL for a date at the workspace, and the column to order by. */
export function day(place: Place, source: string): { date: string; raw: string; type: string } {
  const { sql, type } = followPath(place, source)
  const kind = kindOf(type)
  const { column, steps } = pathOf(source)
  if (!steps.length) expectType(place, column, ['date', 'timestamp', 'timestamptz'], 'a date')
  if (kind === 'timestamptz')
    return { date: `(${sql} at time zone ${param('zone')})::date`, raw: sql, type: 'timestamptz' }
  if (kind === 'timestamp')
    return {
      date: `(${sql} at time zone ${literal(place.reader.timestamps)} at time zone ${param('zone')})::date`,
      raw: sql,
      type: 'timestamp',
    }
  return { date: sql, raw: sql, type: 'date' }
}

/** SQL for an instant: of a plain date, its first one at the workspace. */
export function instant(place: Place, source: string): string {
  const { raw, type } = day(place, source)
  if (type === 'timestamptz') return raw
  const zone = type === 'timestamp' ? literal(place.reader.timestamps) : param('zone')
  return `(${raw}::timestamp at time zone ${zone})`
}

export const dateOf = (place: Place, source: string | undefined) => (source ? day(place, source).date : 'null::date')

/** How to compare with a key of this type, and whether a text from a request can be one. */
export function keyOfType(type: string): { cast: string; fits(id: string): boolean } {
  const kind = kindOf(type)
  if (kind === 'integer') {
    const most = { smallint: 32_767n, integer: 2_147_483_647n }[type] ?? 9_223_372_036_854_775_807n
    return { cast: type, fits: id => /^(0|-?[1-9]\d{0,18})$/.test(id) && BigInt(id) <= most && BigInt(id) >= -most }
  }
  if (kind === 'number') return { cast: 'numeric', fits: id => /^-?\d{1,30}(\.\d{1,10})?$/.test(id) }
  if (kind === 'uuid') return { cast: 'uuid', fits: id => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) }
  return { cast: 'text', fits: id => id !== '' && !id.includes('\0') && id.length <= 500 }
}
