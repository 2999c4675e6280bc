import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Knex } from 'knex'
import { readCatalogue as readTables } from '../../../audit/collectors/database/catalogue.ts'
import { columnsUsed, fingerprintOf } from '../../../audit/fingerprint.ts'
import { noFacts } from '../../../audit/model.ts'
import type { Migrated } from '../../../knexfile.ts'
import { query } from '../../platform/database.ts'
import { FormerVersion, isFormer, migrationNames } from '../../platform/migrations.ts'
import { secretId, secretInUse } from '../../platform/secrets.ts'
import { readCatalogue } from '../catalogue.ts'
import type { Crm } from '../crm.ts'
import { columnsOf } from '../grants.ts'
import { problemsOf } from '../mapping/adapter.ts'
import { didYouMean } from '../mapping/edit-distance.ts'
import type { CrmMap } from '../mapping/map.ts'
import type { Mapped } from '../mapping/section.ts'
import { environmentOfPages } from '../pages.ts'
import { type Audited, columnsIn, tablesOf } from './audit.ts'

/** One thing that must hold, whether it does, and what to do where it does not. */
export interface Check {
  label: string
  problems: string[]
  /** What is worth knowing and no reason to stop. */
  notes?: string[]
}

/** Of the adapter or the map on the CRM's database, as the role that may read it. */
export async function checkFit(
  crm: Crm,
  map: CrmMap | undefined,
  database: Knex,
  plugins: Mapped[] = [],
): Promise<Check> {
  if (map)
    return {
      label: 'the map fits the database',
      problems: (await problemsOf(map, database, { plugins })).map(it => it.sentence),
    }
  const label = 'what the adapter reads is there'
  if (!crm.reads)
    return {
      label,
      problems: ['the adapter does not say what it reads: give it `reads`, by section, table and column'],
    }
  const columns = columnsOf(crm.reads)
  const { tables } = await readCatalogue(database, Object.keys(columns))
  const problems = Object.entries(columns).flatMap(([table, its]) =>
    its.flatMap(column => {
      const found = tables.get(table)?.get(column)
      if (!found) return [`${table}.${column}: no such column${didYouMean(column, tables.get(table)?.keys() ?? [])}`]
      return found.readable ? [] : [`${table}.${column}: the portal’s role may not read it`]
    }),
  )
  return { label, problems }
}

/** Checks that the mapped schema is unchanged since the audit, by its fingerprint, and says what differs. */
export async function checkAudit(audit: Audited, database: Knex): Promise<Check> {
  const facts = noFacts()
  await readTables(text => query(database, { text }), facts)
  const now = columnsUsed(audit.data as never, facts.tables)
  const label = 'the audit fits the database'
  if (fingerprintOf(now) === audit.fingerprint) return { label, problems: [] }
  const tables = new Map(facts.tables.map(it => [it.name, it.columns.map(one => one.name)]))
  const missing = [
    ...tablesOf(audit)
      .filter(it => !tables.has(it))
      .map(it => `${it}: no such table${didYouMean(it, tables.keys())}`),
    ...columnsIn(audit)
      .filter(({ table, column }) => tables.has(table) && !tables.get(table)?.includes(column))
      .map(({ table, column }) => `${table}.${column}: no such column${didYouMean(column, tables.get(table) ?? [])}`),
  ]
  const changed = Object.entries(audit.columns ?? {})
    .filter(([name, type]) => now[name] && now[name] !== type)
    .map(([name, type]) => `${name} was ${type || 'of no known type'} and is ${now[name]}`)
  const told = [...new Set([...missing, ...changed])]
  const few = told.length > 12 ? [...told.slice(0, 12), `and ${told.length - 12} more`] : told
  const what = few.length ? few : ['its fingerprint is not that of this database']
  return { label, problems: [...what, 'run portico audit with --database again, and read what it says now'] }
}

/** `plugins`: those that are not in plugins/. Tables of one that is not there any more are named. */
export async function checkMigrations(owner: Knex, plugins: Migrated[] = []): Promise<Check> {
  const label = 'all migrations are applied'
  const names = await query<{ name: string }>(owner, { text: 'select name from portal.migrations' }).catch(error => {
    if (error.code === '42P01') return []
    throw error
  })
  if (isFormer(names.map(it => it.name))) return { label, problems: [new FormerVersion().message] }
  const known = migrationNames(plugins)
  const missing = known.filter(it => !names.some(({ name }) => name === it))
  const gone = new Set(
    names.filter(it => it.name.includes('/') && !known.includes(it.name)).map(it => it.name.split('/')[0]),
  )
  const kept = gone.size ? `; not installed any more, with tables that are kept: ${[...gone].join(', ')}` : ''
  return {
    label: label + kept,
    problems: missing.length ? [`not yet: ${missing.join(', ')}; run portico migrate`] : [],
  }
}

/** As the portal's role itself: it owns nothing, passes no row security by, and may do no more than is needed. */
export async function checkPrivileges(crm: Crm, database: Knex): Promise<Check[]> {
  const [it] = await query(database, {
    text: `select current_user as role, rolsuper or rolbypassrls as bypasses,
             (select count(*)::int from pg_class where relowner = r.oid) as owned
           from pg_roles r where rolname = current_user`,
  })
  const own = [
    ...(it.bypasses ? [`${it.role} passes row-level security by: make a role without SUPERUSER and BYPASSRLS`] : []),
    ...(it.owned ? [`${it.role} owns ${it.owned} tables, indexes or sequences: make a role that owns nothing`] : []),
  ]
  const more = crm.reads ? await excess(crm, crm.database ?? database) : []
  return [
    { label: 'the portal’s role owns nothing and passes no row security by', problems: own },
    { label: 'the portal’s role may do no more to the CRM than it needs', problems: more },
  ]
}

/**
 * What a role may do to tables that are not Portico's, beyond selecting what is mapped, and setting what answers and
 * payments set.
 */
async function excess({ reads = { directory: {} }, writes = {}, adds = {} }: Crm, database: Knex): Promise<string[]> {
  const rows = await query<{
    table: string
    column: string
    reads: boolean
    updates: boolean
    adds: boolean
    writes: boolean
  }>(database, {
    text: `select n.nspname || '.' || c.relname as table, a.attname as column,
             has_column_privilege(c.oid, a.attnum, 'SELECT') as reads,
             has_column_privilege(c.oid, a.attnum, 'UPDATE') as updates,
             has_column_privilege(c.oid, a.attnum, 'INSERT') as adds,
             has_table_privilege(c.oid, 'DELETE') or has_table_privilege(c.oid, 'TRUNCATE') as writes
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname !~ '^(pg_|information_schema$|portal$|portal_jobs$)'
             and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
             and (has_any_column_privilege(c.oid, 'SELECT') or has_any_column_privilege(c.oid, 'INSERT')
                  or has_any_column_privilege(c.oid, 'UPDATE') or has_table_privilege(c.oid, 'DELETE') or has_table_privilege(c.oid, 'TRUNCATE'))
           order by 1, a.attnum`,
  })
  const [needed, set, added] = [columnsOf(reads), columnsOf(writes), columnsOf(adds)]
  const may = (what: string, its: typeof rows) =>
    Map.groupBy(its, it => it.table)
      .entries()
      .map(([table, columns]) => `it may ${what} ${table} (${columns.map(it => it.column).join(', ')}): revoke that`)
      .toArray()
  return [
    ...may(
      'read',
      rows.filter(it => it.reads && !needed[it.table]?.includes(it.column)),
    ),
    ...may(
      'change',
      rows.filter(
        it =>
          it.writes ||
          (it.updates && !set[it.table]?.includes(it.column)) ||
          (it.adds && !added[it.table]?.includes(it.column)),
      ),
    ),
  ]
}

/** Whether instances with these secrets could read what the portal has sealed. */
export async function checkSecret(owner: Knex, secrets: string[]): Promise<Check> {
  const current = await secretInUse(owner)
  const fits = current === undefined || secrets.map(secretId).includes(current)
  return {
    label: 'the portal’s secret is the one in use',
    problems: fits ? [] : ['another secret is in use: add it to PORTAL_SECRETS, or run portico reseal --lost'],
  }
}

/** Checks that the folders in the map can be read. URLs are checked when a file is requested. */
export async function checkFiles(map: CrmMap | undefined): Promise<Check> {
  const files = [map?.proposals, map?.quotations, map?.invoices].flatMap(it => it?.file ?? [])
  if (!files.length) return { label: 'no files of the CRM are named', problems: [] }
  const problems = await Promise.all(
    files.map(async it => {
      if (!('under' in it)) return []
      const open = await access(it.under, constants.R_OK | constants.X_OK).then(
        () => stat(it.under),
        () => undefined,
      )
      return open?.isDirectory()
        ? []
        : [`${it.under} is no folder that may be read: correct \`under\`, or let us read it`]
    }),
  )
  return { label: 'the files of the CRM can be read', problems: [...new Set(problems.flat())] }
}

/** Notes what links to the CRM's own pages need and do not have; nothing of it stops the portal. */
export function checkPages({ pages }: Pick<Crm, 'pages'>): Check {
  if (!pages) return { label: 'no pages of the CRM are named', problems: [] }
  const unset = environmentOfPages(pages).filter(it => !process.env[it])
  return {
    label: 'it is known where records live in the CRM',
    problems: [],
    notes: unset.map(it => `pages: {env ${it}} is not set: staff get no links to the CRM’s own pages`),
  }
}

/** A list with ticks. */
export const formatChecks = (checks: Check[]) =>
  checks
    .map(
      ({ label, problems, notes = [] }) =>
        `${problems.length ? '✗' : '✓'} ${label}${[...problems, ...notes.map(it => `note: ${it}`)].map(it => `\n    ${it}`).join('')}`,
    )
    .join('\n')
