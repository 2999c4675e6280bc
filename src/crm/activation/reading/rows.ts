import type { Knex } from 'knex'
import { query } from '../../../platform/database.ts'
import type { Catalogue } from '../../catalogue.ts'
import { catalogueOf } from '../../mapping/adapter.ts'
import { type Compiled, compile } from '../../mapping/compile.ts'
import type { CrmMap, Owned, Rows } from '../../mapping/map.ts'
import { withKeys } from '../../mapping/owned.ts'
import type { Reader } from '../../mapping/reader.ts'
import type { Ask, Mapped } from '../../mapping/section.ts'
import { statement } from '../../mapping/sql.ts'

/** A map on the CRM's real rows, read as the portal's role. */
export interface RealRows {
  map: CrmMap
  compiled: Compiled
  catalogue: Catalogue
  /** Reads only, for at most ten seconds. What would write is planned, and not run. */
  ask: Ask
  /** Whether there is no more time: what is left is not asked. */
  isOver(): boolean
  /** Of one section of the map, to put more questions into SQL. */
  readerOf(section: string): Reader
}

const seconds = { statement: 10, all: 90 }

/** Opens the CRM's rows for the checks. All of them together end after a minute and a half. */
export async function openRows(map: CrmMap, database: Knex, plugins: Mapped[]): Promise<RealRows> {
  const catalogue = await catalogueOf(map, compile(map, undefined, plugins), database)
  const until = performance.now() + seconds.all * 1000
  return {
    map,
    catalogue,
    compiled: compile(map, catalogue, plugins),
    ask: boundedAsk(database),
    isOver: () => performance.now() > until,
    readerOf: section => ({
      section,
      catalogue,
      reads: {},
      writes: {},
      problems: [],
      indexHints: [],
      steps: [],
      timestamps: map.timestamps ?? 'UTC',
    }),
  }
}

const boundedAsk =
  (database: Knex): Ask =>
  (sql, values = {}) => {
    const { text, values: given } = statement(sql, withKeys(values), 'doctor')
    return database.transaction(async tx => {
      await query(tx, {
        text: `select set_config('transaction_read_only', 'on', true), set_config('statement_timeout', $1, true)`,
        values: [`${seconds.statement}s`],
      })
      return query(tx, { text: /^\s*update\b/i.test(text) ? `explain ${text}` : text, values: given })
    })
  }

/** The sections of a map whose rows belong to clients, by name. */
export function ownedSections(map: CrmMap): [name: string, entry: Owned][] {
  const others = ['workspaces', 'clients', 'contacts', 'identity', 'staff']
  const sections = Object.entries(map) as [string, Partial<Owned> | undefined][]
  return sections.filter(
    (it): it is [string, Owned] => !others.includes(it[0]) && typeof it[1]?.client === 'string' && hasRows(it[1]),
  )
}

/** The same, with what else has an owner in them: the credit of `invoices`. */
export const ownedEntries = (map: CrmMap): [name: string, entry: Owned][] =>
  ownedSections(map).flatMap(([section, entry]) => {
    const parts = Object.entries(entry).filter(([, it]) => typeof it?.client === 'string' && hasRows(it))
    return [[section, entry], ...parts.map(([name, it]): [string, Owned] => [`${section}.${name}`, it as Owned])]
  })

/** Whether each client sees a part of such a row: of a payment for several of them. */
export const isShared = (entry: Owned): boolean => (entry as { amount?: unknown }).amount === 'parts'

/** Whether an entry of the map names rows. */
export const hasRows = (it: Rows | undefined): it is Rows => Boolean(it?.table || it?.query)

/** What went wrong with a question, as a part of a sentence. */
export function reasonOf(error: any): string {
  if (error.code === '57014') return `it takes more than ${seconds.statement} seconds; portico doctor names indexes`
  if (error.code === '21000') return 'a path leads to several rows'
  const [issue] = error.issues ?? []
  if (issue)
    return `its answer has no good ${issue.path.filter((it: unknown) => it !== 'items').join('.')}: ${issue.message}`
  return String(error.message).split('\n')[0]!
}

/** `1,204`. */
export const count = (it: number) => it.toLocaleString('en')

/** `1 client`, `1,204 clients`. */
export const many = (it: number, one: string, several = `${one}s`) => `${count(it)} ${it === 1 ? one : several}`
