import { existsSync, writeFileSync } from 'node:fs'
import type { Knex } from 'knex'
import { type Audit, audit } from '../../audit/index.ts'
import { readCatalogue, tableNames } from '../crm/catalogue.ts'
import { draft } from '../crm/mapping/draft.ts'
import { knownMap } from '../crm/mapping/known-maps.ts'
import type { Mapped } from '../crm/mapping/section.ts'
import { ident, tableIdent } from '../crm/mapping/sql.ts'
import { query } from '../platform/database.ts'
import { sections as installed } from '../plugin/discover.ts'
import { askDeveloper, recordedIn } from './ask.ts'
import { connected } from './config.ts'
import { draftOfMysql, draftUnread } from './draft-unread.ts'
import { CommandError, UsageError } from './errors.ts'

type Text = 'database' | 'source' | 'url' | 'out' | 'json' | 'map'

/** Examines a CRM and writes the reports. Needs no configuration, and nothing of Portico in the database. */
export async function audited(
  options: { [name in Text]?: string } & { quiet?: boolean; ask?: boolean },
): Promise<string> {
  const { database, source, url, out = 'AUDIT_REPORT.md', json = 'audit.json', quiet } = options
  if (options.map && !database && !source) throw new UsageError('--map needs --database or --source.')
  if (!database && !source && !url) throw new UsageError('audit needs --database, --source or --url.')
  const told = process.stderr.isTTY && !quiet
  const progress = (text: string) =>
    told && process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
  const recorded = recordedIn(json)
  const first = await audit({ database, source, url, recorded, progress })
  if (told) process.stderr.write('\r\x1b[K')
  const found = options.ask ? await first.reconsider(await askDeveloper(first)) : first
  writeFileSync(out, found.report)
  writeFileSync(json, `${JSON.stringify(found.json, null, 2)}\n`)
  const drafted = options.map && (await draftOf(options.map, found, database))
  const problem = `${found.notes.join('\n')}\nWritten all the same: ${out} and ${json}.`
  if (!found.whole) throw new CommandError(problem)
  if (quiet) return ''
  return `Written: ${out} and ${json}.${drafted ? `\n${drafted}` : ''}`
}

/** Never overwrites an existing map: somebody may have edited it. */
async function draftOf(file: string, found: Audit, database: string | undefined): Promise<string> {
  if (existsSync(file))
    throw new CommandError(`${file} is there already, and stays as it is. Name another file for the draft.`)
  if (!found.tables.length) throw new CommandError(`${file} is not drafted: no table was found.`)
  const text = await textOf(found, found.looked.database ? database : undefined)
  writeFileSync(file, text)
  const unsure = text.split('\n').filter(it => /\/\/ [1-7]?\d %|: todo\(|not understood/.test(it)).length
  return `Written: ${file}, a draft; ${unsure} of its lines are to be looked at first.`
}

function textOf(found: Audit, database: string | undefined): Promise<string> {
  if (!database) return draftUnread(found)
  if (!/^postgres/.test(database)) return draftOfMysql(found, database)
  return connected(database, db => draftMap(db, found.json.data as Record<string, any>))
}

/** A draft from what the audit found; of a CRM that is known its kept map, unless `recognise` is false. */
export async function draftMap(
  db: Knex,
  data: Parameters<typeof draft>[0],
  { recognise = true, plugins = installed as Mapped[] } = {},
): Promise<string> {
  const tables = await tableNames(db)
  const known = recognise ? knownMap(tables) : undefined
  return (
    known ??
    draft(
      data,
      await readCatalogue(db, tables),
      {
        valuesOf: (table, column) => fewValues(db, table, column),
        amountsOf: (table, column) => amounts(db, table, column),
      },
      { plugins },
    )
  )
}

/**
 * Returns the values of a column such as a status or a payment method, from its first rows; empty if it holds anything
 * else.
 */
async function fewValues(db: Knex, table: string, column: string): Promise<string[]> {
  const rows = await query<{ value: string }>(db, {
    text: `select distinct it.value from (select ${ident(column)}::text as value from ${tableIdent(table)} limit 20000) it
           where it.value is not null and length(it.value) <= 30 order by 1 limit 21`,
  }).catch(() => [])
  return rows.length > 20 ? [] : rows.map(it => it.value)
}

/** The largest of a column's first rows, and the one in the middle. */
async function amounts(db: Knex, table: string, column: string) {
  const [row] = await query<{ largest: string | null; typical: string }>(db, {
    text: `select max(it.value)::text as largest, (percentile_disc(0.5) within group (order by it.value))::text as typical
           from (select ${ident(column)} as value from ${tableIdent(table)} where ${ident(column)} <> 0 limit 20000) it`,
  }).catch(() => [])
  return row?.largest ? { largest: row.largest, typical: row.typical } : undefined
}
