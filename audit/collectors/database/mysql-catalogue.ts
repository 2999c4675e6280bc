import type { Column, Facts, Table } from '../../model.ts'
import { literals } from '../text.ts'
import type { Ask } from './ask.ts'
import { leadingColumns } from './keys.ts'

export type Server = NonNullable<Facts['database']>

/** What `select version()` says: `10.11.6-MariaDB-0+deb12u1`, `8.0.36`, `5.7.44-log`. */
export function serverOf(version: string): Server {
  const kind = /mariadb/i.test(version) ? 'MariaDB' : 'MySQL'
  // Older drivers were to think that it is 5.5.5.
  const [number = version] = version.replace(/^5\.5\.5-(?=1)/, '').match(/^\d+\.\d+/) ?? []
  return { kind, version: number }
}

/** Tables, views, columns, declared keys, unique columns and the values that enums and constraints allow. */
export async function readCatalogue(ask: Ask, facts: Facts, server: Server): Promise<void> {
  const rows = await ask<Row>(columns)
  if (!rows) {
    facts.notes.push('The catalogue of the database could not be read.')
    return
  }
  const tables = new Map(rows.map(it => [it.table, tableOf(it)]))
  for (const row of rows) tables.get(row.table)!.columns.push(columnOf(row))
  const find = (table: string, column: string) => tables.get(table)?.columns.find(it => it.name === column)
  await readKeys(ask, find)
  await readChecks(ask, find, server)
  await readUniques(ask, tables)
  facts.tables = [...tables.values()]
  for (const it of facts.tables)
    if (it.columns.length > 250) facts.notes.push(`${it.name} has ${it.columns.length} columns.`)
  if (!facts.tables.length) facts.notes.push('The database has no table that this user can see.')
}

interface Row {
  table: string
  kind: string
  rows: string | number | null
  column: string
  type: string
}

const tableOf = ({ table, kind, rows }: Row): Table => ({
  name: table,
  columns: [],
  at: table,
  rows: Number(rows ?? 0),
  ...(/VIEW/.test(kind) && { view: true }),
})

const columnOf = ({ table, column, type }: Row): Column => ({
  name: column,
  type: type.replace(/^enum\(.*$/i, 'enum'),
  at: `${table}.${column}`,
  ...(/^enum\(/i.test(type) && { values: literals(type) }),
})

type Find = (table: string, column: string) => Column | undefined

async function readKeys(ask: Ask, find: Find): Promise<void> {
  const found = (await ask<{ name: string; from: string; column: string; to: string }>(keys)) ?? []
  const byKey = [...Map.groupBy(found, it => `${it.from} ${it.name}`).values()]
  const all = byKey.map(its => ({ from: its[0]!.from, to: its[0]!.to, columns: its.map(it => it.column).reverse() }))
  for (const { from, column, to } of leadingColumns(all.toSorted((a, b) => a.columns.length - b.columns.length))) {
    const it = find(from, column)
    if (it) it.references ??= to
  }
}

/** MySQL before 8.0.16 and MariaDB before 10.2 read checks and forget them. */
async function readChecks(ask: Ask, find: Find, server: Server): Promise<void> {
  const sql = checksOf(server)
  const found = sql ? ((await ask<{ from: string; definition: string }>(sql)) ?? []) : []
  for (const { from, definition } of found) {
    const check = checkIn(definition)
    const column = check && find(from, check.column)
    if (!column) continue
    if (check.json) column.type = 'json'
    else if (check.values.length) column.values = check.values
  }
}

export function checksOf({ kind, version }: Server): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (kind === 'MariaDB') return major > 10 || (major === 10 && minor >= 2) ? mariadbChecks : undefined
  return major >= 8 ? mysqlChecks : undefined
}

/** The column of a check and the values that it allows: MySQL writes them as `_utf8mb4\'draft\'`. */
export function checkIn(definition: string): { column: string; values: string[]; json: boolean } | undefined {
  const plain = definition.replaceAll("\\'", "'").replace(/_utf8\w*(?=')/g, '')
  const [column, other] = new Set([...plain.matchAll(/`([^`]+)`/g)].map(it => it[1]!))
  if (!column || other) return undefined
  const isList = / in ?\(|` = '/i.test(plain)
  return {
    column,
    values: isList ? literals(plain.replace(/`[^`]*`/g, '')) : [],
    json: /^\(*json_valid\(/i.test(plain),
  }
}

async function readUniques(ask: Ask, tables: Map<string, Table>): Promise<void> {
  const found = (await ask<{ from: string; name: string; column: string | null }>(uniques)) ?? []
  for (const its of Map.groupBy(found, it => `${it.from} ${it.name}`).values()) {
    const table = tables.get(its[0]!.from)
    const names = its.map(it => it.column).filter(it => it !== null)
    if (table && names.length === its.length) table.unique = [...(table.unique ?? []), names]
  }
}

const columns = `
  select t.table_name as \`table\`, t.table_type as kind, t.table_rows as \`rows\`, c.column_name as \`column\`,
    cast(c.column_type as char) as type
  from information_schema.tables t
    join information_schema.columns c on c.table_schema = t.table_schema and c.table_name = t.table_name
  where t.table_schema = database()
  order by t.table_name, c.ordinal_position`

const keys = `
  select constraint_name as name, table_name as \`from\`, column_name as \`column\`, referenced_table_name as \`to\`
  from information_schema.key_column_usage
  where table_schema = database() and referenced_table_schema = database()
  order by table_name, constraint_name, ordinal_position`

const uniques = `
  select table_name as \`from\`, index_name as name, column_name as \`column\`
  from information_schema.statistics where table_schema = database() and non_unique = 0
  order by table_name, index_name <> 'PRIMARY', index_name, seq_in_index`

const mariadbChecks = `
  select table_name as \`from\`, cast(check_clause as char) as definition
  from information_schema.check_constraints where constraint_schema = database()`

const mysqlChecks = `
  select t.table_name as \`from\`, cast(c.check_clause as char) as definition
  from information_schema.check_constraints c
    join information_schema.table_constraints t
      on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name
  where c.constraint_schema = database() and t.constraint_type = 'CHECK'`
