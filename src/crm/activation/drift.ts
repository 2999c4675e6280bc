import type { Knex } from 'knex'
import { type Catalogue, kindOf, qualified, readCatalogue } from '../catalogue.ts'
import type { Crm, Reads } from '../crm.ts'
import { columnsOf } from '../grants.ts'

/** Tables and their columns with types, as they were when the audit was accepted. */
export type Schema = Record<string, Record<string, string>>

export interface Drift {
  problems: DriftProblem[]
  /** Columns that are not mapped. They are hidden. */
  news: string[]
}

/** What does not fit any more, and the section that is switched off for it; `directory` is all of them. */
export interface DriftProblem {
  section: string
  /** A table or `table.column`. */
  what: string
  how: 'gone' | 'refused' | 'other'
  /** Types. */
  before?: string
  now?: string
}

/** The CRM's schema as far as the adapter's tables go, asked as the role that the portal runs as. */
export async function schemaOf(crm: Crm, database: Knex): Promise<{ catalogue: Catalogue; schema: Schema }> {
  const tables = Object.keys(columnsOf(crm.reads ?? { directory: {} }))
  const catalogue = await readCatalogue(crm.database ?? database, tables)
  const schema = [...catalogue.tables].map(([table, columns]) => [
    table,
    Object.fromEntries([...columns].map(([name, { type }]) => [name, type])),
  ])
  return { catalogue, schema: Object.fromEntries(schema) }
}

/** What has changed since, by section. A column that came is only told: what is not mapped is never selected. */
export function driftOf(reads: Reads, { tables }: Catalogue, accepted: Schema): Drift {
  const problems = Object.entries(reads).flatMap(([section, its]) =>
    Object.entries(its).flatMap(([name, columns]): DriftProblem[] => {
      const table = qualified(name)
      const now = tables.get(table)
      if (!now) return [{ section, what: short(name), how: 'gone' }]
      return columns.flatMap(column => {
        const misfit = changed(now.get(column), accepted[table]?.[column])
        return misfit ? [{ section, what: `${short(name)}.${column}`, ...misfit }] : []
      })
    }),
  )
  const news = [...tables].flatMap(([table, columns]) =>
    [...columns.keys()].filter(it => accepted[table] && !(it in accepted[table])).map(it => `${short(table)}.${it}`),
  )
  return { problems, news }
}

/**
 * What is read as before: another length of a text, another width of an integer, a number with as many decimals or more.
 * One with fewer decimals, or that is exact no longer, may tell another amount.
 */
function alike(before: string, now: string): boolean {
  if (before === now) return true
  const kind = kindOf(before)
  if (kind === 'other' || kind !== kindOf(now)) return false
  return kind !== 'number' || precision(now) >= precision(before)
}

/** Decimals of `numeric(12,2)`; those of floating point are not to be relied on, and `money` is read as text. */
function precision(type: string): number {
  const [, scale] = /^(?:numeric|decimal)(?:\(\d+(?:,(-?\d+))?\))?$/.exec(type) ?? []
  if (/^(numeric|decimal)/.test(type)) return type.includes('(') ? Number(scale ?? 0) : Number.POSITIVE_INFINITY
  return { 'double precision': -100, real: -200 }[type] ?? -300
}

const short = (table: string) => table.replace(/^public\./, '')

function changed(
  now: { type: string; readable: boolean } | undefined,
  before: string | undefined,
): Pick<DriftProblem, 'how' | 'before' | 'now'> | undefined {
  if (!now) return { how: 'gone' }
  if (!now.readable) return { how: 'refused' }
  return before && !alike(before, now.type) ? { how: 'other', before, now: now.type } : undefined
}
