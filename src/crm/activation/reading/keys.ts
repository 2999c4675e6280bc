import { qualified } from '../../catalogue.ts'
import type { Owned, Rows } from '../../mapping/map.ts'
import { followPath, pathOf, placeOf } from '../../mapping/reader.ts'
import { ident, tableIdent } from '../../mapping/sql.ts'
import type { Check } from '../checks.ts'
import { count, hasRows, isShared, ownedEntries, ownedSections, type RealRows, reasonOf } from './rows.ts'

/** Each key is of one row, each path leads to one row, and owners and lines lead where the database says. */
export async function checkKeys(rows: RealRows): Promise<Check> {
  const unique = await uniqueColumns(rows)
  const foreign = await foreignKeys(rows)
  const problems = [
    ...(await repeatedKeys(rows, unique)),
    ...(await wideSteps(rows, unique)),
    ...(await severalOwners(rows, unique)),
    ...ownersElsewhere(rows, foreign),
    ...(await strangeOwners(rows)),
    ...partsElsewhere(rows, foreign),
  ]
  return { label: 'keys and paths lead to one row each', problems: [...new Set(problems)] }
}

/** Columns that PostgreSQL keeps unique, as `public.invoices.id`. */
async function uniqueColumns({ ask, catalogue }: RealRows): Promise<Set<string>> {
  const rows = await ask(
    `select n.nspname || '.' || c.relname || '.' || a.attname as column
     from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
     where i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null and i.indexprs is null
       and n.nspname || '.' || c.relname = any($param(tables))`,
    { tables: [...catalogue.tables.keys()] },
  )
  return new Set(rows.map(it => it.column))
}

interface ForeignKey {
  /** As `public.invoices.client_id`. */
  from: string
  to: string
}

/** Declared keys, column by column. */
const foreignKeys = async ({ ask, catalogue }: RealRows): Promise<ForeignKey[]> =>
  ask(
    `select n.nspname || '.' || c.relname || '.' || a.attname as from, fn.nspname || '.' || f.relname || '.' || b.attname as to
     from pg_constraint k cross join lateral unnest(k.conkey, k.confkey) as it(one, other)
       join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class f on f.oid = k.confrelid join pg_namespace fn on fn.oid = f.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum = it.one
       join pg_attribute b on b.attrelid = f.oid and b.attnum = it.other
     where k.contype = 'f' and n.nspname || '.' || c.relname = any($param(tables))`,
    { tables: [...catalogue.tables.keys()] },
  )

/** A key that several rows have would show the lines and payments of one with the other. */
async function repeatedKeys(rows: RealRows, unique: Set<string>): Promise<string[]> {
  const keyed: [string, Rows][] = [['clients', rows.map.clients], ...ownedSections(rows.map)]
  const found: string[] = []
  for (const [section, entry] of keyed) {
    const { id = 'id', table } = entry
    if (table && unique.has(`${qualified(table)}.${id}`)) continue
    const place = placeOf(rows.readerOf(section), entry, 'p')
    const twice = await repeated(rows, place.column(id), place.from, place.rows)
    if (twice)
      found.push(
        `${section}: ${id} is not a key: ${twice}; use a \`query\` that makes one key of all the columns that are needed`,
      )
  }
  return found
}

/** What a path would have to choose from: PostgreSQL refuses to, for the one client whom it concerns. */
async function wideSteps(rows: RealRows, unique: Set<string>): Promise<string[]> {
  const found: string[] = []
  const owners = new Set(ownedSections(rows.map).map(([, it]) => it.client))
  const others = rows.compiled.steps.filter(it => !owners.has(it.path))
  const steps = new Map(others.map(it => [`${qualified(it.table)}.${it.key}`, it]))
  for (const [column, { section, path, table, key }] of steps) {
    if (unique.has(column)) continue
    const twice = await repeated(rows, ident(key), tableIdent(table))
    if (twice) found.push(`${section}: the path ${path} leads to several rows: of ${table}.${key} ${twice}`)
  }
  return found
}

/** A path to the owner may lead to several rows, such as the invoices of a payment: they must have one client. */
async function severalOwners({ map, ask, readerOf }: RealRows, unique: Set<string>): Promise<string[]> {
  const found: string[] = []
  for (const [section, entry] of ownedEntries(map)) {
    const { steps } = pathOf(entry.client)
    if (isShared(entry) || steps.every(it => unique.has(`${qualified(it.table)}.${it.key}`))) continue
    const place = placeOf(readerOf(section), entry, 'p')
    const owners = `array(select distinct one::text from (${followPath(place, entry.client).rows}) it(one) where one is not null)`
    const rows = await ask(
      `select key, owners from (select ${place.column(place.key)}::text as key, ${owners} as owners
                                from ${place.from} where ${place.rows} limit 200000) it
       where cardinality(owners) > 1 limit 1000`,
    )
    const [first] = rows
    if (first)
      found.push(
        `${section}: ${rows.length} belong to several clients, as ${first.key} to ${first.owners.slice(0, 2).join(' and ')}: use a \`query\` with a row for each, or of payments \`amount: 'parts'\``,
      )
  }
  return found
}

/** Owners that are no clients: the column leads to something else, whether or not the database says so. */
async function strangeOwners({ map, ask, readerOf }: RealRows): Promise<string[]> {
  const found: string[] = []
  const { table, query, reads, id } = map.clients
  const c = placeOf(readerOf('clients'), { table, query, reads, id }, 'c')
  for (const [section, entry] of ownedEntries(map)) {
    const place = placeOf(readerOf(section), entry, 'p')
    const [row] = await ask(
      `select sum(o.n)::int as owned, (sum(o.n) filter (where c.key is null))::int as strange
       from (select owner, count(*) as n
             from (select owner.client::text as owner
                   from ${place.from} cross join lateral (${followPath(place, entry.client).rows}) owner(client)
                   where ${place.rows} and owner.client is not null limit 200000) it group by 1) o
         left join (select ${c.column(c.key)}::text as key from ${c.from}) c on c.key = o.owner`,
    )
    const { owned, strange } = row as { owned: number | null; strange: number | null }
    if (owned && strange && strange > owned / 2)
      found.push(`${section}.client: ${entry.client} of ${count(strange)} out of ${count(owned)} is no client`)
  }
  return found
}

async function repeated({ ask }: RealRows, column: string, from: string, where = 'true'): Promise<string | undefined> {
  try {
    const [row] = await ask(
      `select ${column}::text as key, count(*)::int as n from ${from} where ${where} and ${column} is not null
       group by ${column} having count(*) > 1 order by 1 limit 1`,
    )
    return row && `${row.n} rows have ${row.key}`
  } catch (error) {
    return `it cannot be checked (${reasonOf(error)})`
  }
}

/** An owner whose declared key leads elsewhere than to the clients: to the workspaces, as a rule. */
function ownersElsewhere({ map }: RealRows, foreign: ForeignKey[]): string[] {
  const { table, id = 'id' } = map.clients
  const clients = table && `${qualified(table)}.${id}`
  return [...ownedEntries(map), ['contacts', map.contacts] as [string, Owned]].flatMap(([section, entry]) => {
    const column = endOf(entry, entry.client)
    const leadsToClients = foreign.some(it => it.from === column && it.to === clients)
    const tenants = [entry.workspace, map.clients.workspace]
    const same =
      tenants.includes(entry.client) && !leadsToClients
        ? [`${section}.client: ${entry.client} is the workspace’s column: every client would see what all have`]
        : []
    const elsewhere = clients && column ? leadsElsewhere(foreign, column, clients) : undefined
    const wrong = elsewhere
      ? [`${section}.client: ${entry.client} leads to ${elsewhere}, and clients are ${table}`]
      : []
    return [...same, ...wrong]
  })
}

/** Lines and the like that lead to something else than their document, or to themselves. */
function partsElsewhere({ map }: RealRows, foreign: ForeignKey[]): string[] {
  return ownedSections(map).flatMap(([section, entry]) => {
    const document = entry.table && `${qualified(entry.table)}.${entry.id ?? 'id'}`
    const parts = entry as { [name: string]: any }
    const links = [
      ['lines', 'of'],
      ['attachments', 'of'],
      ['creditNotes', 'invoice'],
    ] as const
    return links.flatMap(([part, link]) => {
      const it: (Rows & { [name: string]: any }) | undefined = parts[part]
      if (!hasRows(it)) return []
      const to: string = it[link]
      const own = it.table !== entry.table && to === (it.id ?? 'id')
      if (own) return [`${section}.${part}.${link}: ${to} is the key of the row itself, and leads to no document`]
      const column = endOf(it, to)
      const elsewhere = document && column ? leadsElsewhere(foreign, column, document) : undefined
      return elsewhere ? [`${section}.${part}.${link}: ${to} leads to ${elsewhere}, and not to ${entry.table}`] : []
    })
  })
}

/** The column at the end of a path, with its table; undefined where it is one of a query. */
function endOf({ table }: Rows, source: string): string | undefined {
  const { column, steps } = pathOf(source)
  const last = steps.at(-1)
  if (last) return `${qualified(last.table)}.${last.column}`
  return table && `${qualified(table)}.${column}`
}

/** Where a column's declared keys lead, if it has some and none of them has this target or one that the target shares. */
function leadsElsewhere(foreign: ForeignKey[], column: string, target: string): string | undefined {
  const leads = (from: string) => foreign.filter(it => it.from === from).map(it => it.to)
  const its = leads(column)
  const fits = [target, ...leads(target)]
  if (!its.length || column === target || its.some(it => fits.includes(it))) return undefined
  const [first] = its
  return first!.replace(/^public\./, '').replace(/\.[^.]+$/, '')
}
