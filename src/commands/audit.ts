import { existsSync, writeFileSync } from 'node:fs'
import type { Knex } from 'knex'
import { type AuditJson, audit } from '../../audit/index.ts'
import { readCatalogue, tableNames } from '../crm/catalogue.ts'
import { draft } from '../crm/map/draft.ts'
import { knownMap } from '../crm/map/known.ts'
import { ident, tableIdent } from '../crm/map/sql.ts'
import { query } from '../database.ts'
import { connected } from './config.ts'
import { Trouble, Wrong } from './problems.ts'

type Text = 'database' | 'source' | 'url' | 'out' | 'json' | 'map'

/** Looks at a CRM, and writes what it found. It needs no configuration: nothing of Portico's has to be there yet. */
export async function audited(options: { [name in Text]?: string } & { quiet?: boolean }): Promise<string> {
  const { database, source, url, out = 'AUDIT_REPORT.md', json = 'audit.json', quiet } = options
  if (!database && !source && !url) throw new Wrong('audit needs --database, --source or --url.')
  const told = process.stderr.isTTY && !quiet
  const progress = (text: string) =>
    told && process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
  const found = await audit({ database, source, url, progress })
  if (told) process.stderr.write('\r\x1b[K')
  writeFileSync(out, found.report)
  writeFileSync(json, `${JSON.stringify(found.json, null, 2)}\n`)
  const drafted = options.map && (await draftOf(options.map, found.json, database))
  const problem = `${found.notes.join('\n')}\nWritten all the same: ${out} and ${json}.`
  if (!found.whole) throw new Trouble(problem)
  if (quiet) return ''
  return `Written: ${out} and ${json}.${drafted ? `\n${drafted}` : ''}`
}

/** Over no map that is there already: somebody may have worked on it. */
async function draftOf(file: string, { data }: AuditJson, database: string | undefined): Promise<string> {
  if (!database) throw new Wrong('--map needs --database too: a map is drafted from the columns that there are.')
  if (existsSync(file))
    throw new Trouble(`${file} is there already, and stays as it is. Name another file for the draft.`)
  const text = await connected(database, async db => {
    const tables = await tableNames(db)
    return (
      knownMap(tables) ??
      draft(data as Record<string, any>, await readCatalogue(db, tables), (table, column) =>
        fewValues(db, table, column),
      )
    )
  })
  writeFileSync(file, text)
  const unsure = text.split('\n').filter(it => /\/\/ [1-7]?\d %|TODO|not understood/.test(it)).length
  return `Written: ${file}, a draft; ${unsure} of its lines are to be looked at first.`
}

/** What a column like a status or a way to pay holds, as its first rows have it; none where it holds anything else. */
async function fewValues(db: Knex, table: string, column: string): Promise<string[]> {
  const rows = await query<{ value: string }>(db, {
    text: `select distinct it.value from (select ${ident(column)}::text as value from ${tableIdent(table)} limit 20000) it
           where it.value is not null and length(it.value) <= 30 order by 1 limit 21`,
  }).catch(() => [])
  return rows.length > 20 ? [] : rows.map(it => it.value)
}
