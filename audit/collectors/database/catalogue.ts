import type { Column, Facts, Table } from '../../model.ts'
import { literals } from '../text.ts'
import type { Ask } from './ask.ts'
import { type Key, leadingColumns } from './keys.ts'

interface Row {
  schema: string
  relation: string
  kind: string
  rows: number
  readable: boolean
  column: string
  type: string
  labels: string[] | null
}

/** Tables, views, columns, declared keys, unique columns and the values that constraints allow. */
export async function readCatalogue(ask: Ask, facts: Facts): Promise<void> {
  const rows = await ask<Row>(columns)
  if (!rows) {
    facts.notes.push('The catalogue of the database could not be read.')
    return
  }
  const tables = new Map<string, Table>()
  const unreadableTables = new Set<string>()
  for (const row of rows) {
    const key = `${row.schema}.${row.relation}`
    if (!row.readable) unreadableTables.add(key)
    const name = row.schema === 'public' ? row.relation : key
    if (!tables.has(key))
      tables.set(key, {
        name,
        schema: row.schema,
        columns: [],
        at: name,
        rows: Number(row.rows),
        ...(/[vm]/.test(row.kind) && { view: true }),
      })
    tables.get(key)!.columns.push({
      name: row.column,
      type: row.type,
      at: `${name}.${row.column}`,
      ...(row.labels && { values: row.labels }),
    })
  }
  for (const key of leadingColumns((await ask<Key>(keys)) ?? [])) {
    const column = find(tables, key.from, key.column)
    const to = tables.get(key.to)
    if (column && to) column.references ??= to.name
  }
  for (const { from, column, definition } of (await ask<Check>(checks)) ?? []) {
    const it = find(tables, from, column)
    const values = /= ANY|= '| IN \(/i.test(definition) ? literals(definition) : []
    if (it && values.length) it.values = values
  }
  for (const { from, names } of (await ask<{ from: string; names: string[] }>(uniques)) ?? []) {
    const table = tables.get(from)
    if (table) table.unique = [...(table.unique ?? []), names]
  }
  facts.tables = [...tables.values()]
  const schemas = (await ask<{ name: string }>(unreadableSchemas)) ?? []
  for (const { name } of schemas)
    facts.notes.push(`The schema ${name} may not be read with this role: its tables are not in the report.`)
  if (unreadableTables.size)
    facts.notes.push(
      `${unreadableTables.size} ${unreadableTables.size === 1 ? 'table' : 'tables'} may not be read with this role: their columns were looked at, their rows were not.`,
    )
  for (const it of facts.tables)
    if (it.columns.length > 250) facts.notes.push(`${it.name} has ${it.columns.length} columns.`)
  if (!facts.tables.length) facts.notes.push('The database has no table that this role can see.')
}

interface Check {
  from: string
  column: string
  definition: string
}

const find = (tables: Map<string, Table>, table: string, column: string): Column | undefined =>
  tables.get(table)?.columns.find(it => it.name === column)

const crmSchemas = `n.nspname !~ '^(pg_|information_schema$|portal$|portal_jobs$)'`

const columns = `
  select n.nspname as schema, c.relname as relation, c.relkind::text as kind, greatest(c.reltuples, 0) as rows,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
         a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
         (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = a.atttypid) as labels
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and ${crmSchemas} and has_schema_privilege(n.oid, 'usage')
  order by n.nspname, c.relname, a.attnum`

const keys = `
  select n.nspname || '.' || c.relname as from, fn.nspname || '.' || f.relname as to,
    (select array_agg(a.attname::text order by array_position(k.conkey, a.attnum) desc)
     from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey)) as columns
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class f on f.oid = k.confrelid join pg_namespace fn on fn.oid = f.relnamespace
  where k.contype = 'f' and ${crmSchemas}
  order by cardinality(k.conkey), 1, k.conname`

const checks = `
  select n.nspname || '.' || c.relname as from, a.attname as column, pg_get_constraintdef(k.oid) as definition
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
  where k.contype = 'c' and cardinality(k.conkey) = 1 and ${crmSchemas}`

const uniques = `
  select n.nspname || '.' || c.relname as from, array_agg(a.attname::text order by a.attnum) as names
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
  where i.indisunique and ${crmSchemas} group by i.indexrelid, i.indisprimary, n.nspname, c.relname
  order by 1, i.indisprimary desc, 2`

const unreadableSchemas = `select nspname as name from pg_namespace n where ${crmSchemas} and not has_schema_privilege(oid, 'usage') order by 1`
