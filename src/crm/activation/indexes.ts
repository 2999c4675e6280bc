import type { Knex } from 'knex'
import { query } from '../../platform/database.ts'
import { catalogueOf } from '../mapping/adapter.ts'
import { compile } from '../mapping/compile.ts'
import type { CrmMap } from '../mapping/map.ts'
import type { IndexHint } from '../mapping/reader.ts'
import { tableIdent } from '../mapping/sql.ts'

interface Index {
  table: string
  name: string
  columns: string[]
  partial: boolean
  rows: number
}

/** Which indexes would help a map's questions, in sentences and SQL. Portico adds none to a CRM's table. */
export async function adviceOn(map: CrmMap, database: Knex): Promise<string[]> {
  const { indexHints: all, problems } = compile(map, await catalogueOf(map, compile(map), database))
  if (problems.length) return []
  const indexHints = merged(all)
  const tables = [...new Set(indexHints.map(it => it.table))]
  const indexes = await query<Index>(database, {
    text: `select n.nspname || '.' || c.relname as table, greatest(c.reltuples, 0)::float8 as rows,
             coalesce(x.name, '') as name, coalesce(x.columns, '{}') as columns, coalesce(x.partial, false) as partial
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
             left join lateral (
               select i.indexrelid::regclass::text as name, i.indpred is not null as partial,
                 array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) k order by k) as columns
               from pg_index i where i.indrelid = c.oid and i.indisvalid) x on true
           where n.nspname || '.' || c.relname = any($1)`,
    values: [tables],
  })
  return indexHints.flatMap(indexHint =>
    told(
      indexHint,
      indexes.filter(it => it.table === indexHint.table),
    ),
  )
}

/** The same columns are asked for once; `(client_id)` is served by `(client_id, issued_on, id)`. */
function merged(indexHints: IndexHint[]): IndexHint[] {
  const begins = (long: IndexHint, short: IndexHint) =>
    long.table === short.table &&
    !long.where &&
    !short.where &&
    short.columns.every((it, at) => long.columns[at] === it)
  return indexHints.filter(
    (it, at) =>
      !indexHints.some((other, place) => place !== at && begins(other, it) && (!begins(it, other) || place < at)),
  )
}

function told({ table, columns, where, of }: IndexHint, indexes: Index[]): string[] {
  const rows = indexes[0]?.rows ?? 0
  const plain = indexes.filter(it => it.name && (!it.partial || where))
  const same = (index: Index, count: number) =>
    columns.slice(0, count).every((it, at) => index.columns[at] && written(index.columns[at]) === written(it))
  if (plain.some(it => same(it, Math.min(columns.length, 2)))) return []
  // A CRM that has an index over some of an owner's rows has it for those that matter.
  if (where && plain.some(it => it.partial && same(it, 1))) return []
  const found = plain.some(it => same(it, 1))
  // To sort some thousand rows is quick enough.
  if (rows < 10_000 && (found || where || of.endsWith('by amount'))) return []
  const sql = (it: string) => (/^"[^"]*"$/.test(it) ? it : `(${it})`)
  const order = columns.map((it, at) => (at === 0 || of.startsWith('lines') ? sql(it) : `${sql(it)} desc`))
  const size = rows ? `, ${Math.round(rows).toLocaleString('en')} rows` : ''
  const advice = [
    `create index concurrently on ${tableIdent(table)} (${order.join(', ')})${where ? ` where ${where}` : ''};  -- ${of}${found ? ', which are sorted each time now' : ', which read the whole table now'}${size}`,
  ]
  const broad =
    columns.length > 1 ? plain.filter(it => it.columns[0] && written(it.columns[0]) === written(columns[1]!)) : []
  return [
    ...advice,
    ...broad.map(
      it =>
        `-- ${it.name} is in the order of ${columns[1]?.replaceAll('"', '')} over all clients: until there is the index above, PostgreSQL may walk it past everybody else’s rows.`,
    ),
  ]
}

/** However PostgreSQL writes an expression down: without its types, brackets, quotes and blanks. */
const written = (sql: string) =>
  sql
    .toLowerCase()
    .replace(/::(character varying|double precision|\w+)(\(\d+(,\d+)?\))?/g, '')
    .replace(/[\s()"]/g, '')
