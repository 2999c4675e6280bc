import type { Knex } from 'knex'
import { fieldsOf, query } from '../platform/database.ts'

/** What PostgreSQL says of some tables: `schema.table` to its columns. */
export interface Catalogue {
  tables: Map<string, Map<string, Column>>
  /** The same for queries, by their text; or why PostgreSQL refuses one. */
  queries: Map<string, Map<string, Column> | Error>
}

interface Column {
  /** As PostgreSQL writes it: `character varying(20)`, `numeric(14,2)`. */
  type: string
  /** Whether the role that asks may select it. */
  readable: boolean
}

/** `invoices` is `public.invoices`. */
export const qualified = (table: string) => (table.includes('.') ? table : `public.${table}`)

export async function readCatalogue(database: Knex, tables: string[], queries: string[] = []): Promise<Catalogue> {
  const rows = await query<{ table: string; column: string } & Column>(database, {
    text: `select n.nspname || '.' || c.relname as table, a.attname as column,
             format_type(case t.typtype when 'd' then t.typbasetype else t.oid end,
                         case t.typtype when 'd' then t.typtypmod else a.atttypmod end) as type,
             has_column_privilege(c.oid, a.attnum, 'SELECT') and has_schema_privilege(n.oid, 'USAGE') as readable
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             join pg_type t on t.oid = a.atttypid
           where n.nspname || '.' || c.relname = any($1) and c.relkind in ('r', 'v', 'm', 'p', 'f')
           order by 1, a.attnum`,
    values: [tables.map(qualified)],
  })
  const found: Catalogue = { tables: new Map(), queries: new Map() }
  for (const { table, column, type, readable } of rows) {
    if (!found.tables.has(table)) found.tables.set(table, new Map())
    found.tables.get(table)?.set(column, { type, readable })
  }
  for (const text of queries) {
    const fields = await fieldsOf(database, text).catch((error: Error) => error)
    const columns = (its: [string, string][]) => new Map(its.map(([name, type]) => [name, { type, readable: true }]))
    found.queries.set(text, fields instanceof Error ? fields : columns(fields))
  }
  return found
}

/** Names of all tables and views there are, to say which one was probably meant: `invoices`, `billing.invoices`. */
export async function tableNames(database: Knex): Promise<string[]> {
  const rows = await query<{ name: string }>(database, {
    text: `select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname !~ '^(pg_|information_schema$|portal$)'`,
  })
  return rows.map(it => it.name)
}

/** What can be done with a type. */
export type Kind =
  | 'integer'
  | 'number'
  | 'text'
  | 'uuid'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'boolean'
  | 'json'
  | 'bytes'
  | 'other'

export function kindOf(type: string): Kind {
  if (/^(smallint|integer|bigint)$/.test(type)) return 'integer'
  if (/^(numeric|decimal|real|double precision|money)/.test(type)) return 'number'
  if (/^(text|character|character varying|citext|name|bpchar)\b/.test(type) && !type.endsWith('[]')) return 'text'
  if (/^timestamp.*with time zone$/.test(type)) return 'timestamptz'
  if (/^timestamp/.test(type)) return 'timestamp'
  if (type === 'jsonb' || type === 'json') return 'json'
  if (type === 'bytea') return 'bytes'
  return type === 'uuid' || type === 'date' || type === 'boolean' ? type : 'other'
}
