import type { Columns, Crm } from '../crm.ts'
import { qualified } from './catalogue.ts'
import { ident, tableIdent } from './map/sql.ts'

interface Its {
  reads?: Record<string, Columns>
  writes?: Crm['writes']
}

/** All that an adapter reads, whichever section asks: `schema.table` to its columns. */
export function columnsOf(reads: Record<string, Columns>, sections = Object.keys(reads)): Columns {
  const all: Record<string, Set<string>> = {}
  for (const section of sections)
    for (const [table, columns] of Object.entries(reads[section] ?? {})) {
      all[qualified(table)] ??= new Set()
      for (const it of columns) all[qualified(table)]?.add(it)
    }
  return Object.fromEntries(
    Object.keys(all)
      .sort()
      .map(table => [table, [...(all[table] ?? [])].sort()]),
  )
}

/** The least that the portal's role needs of the CRM, as statements: it may select these columns, and update those. */
export function grantsOf({ reads = {}, writes = {} }: Its, role: string): string[] {
  const columns = columnsOf(reads)
  const schemas = [...new Set(Object.keys(columns).map(it => it.slice(0, it.indexOf('.'))))]
  return [
    ...schemas.map(it => `grant usage on schema ${ident(it)} to ${ident(role)};`),
    ...Object.entries(columns).map(
      ([table, its]) => `grant select (${its.map(ident).join(', ')}) on ${tableIdent(table)} to ${ident(role)};`,
    ),
    ...Object.entries(columnsOf(writes)).map(
      ([table, its]) => `grant update (${its.map(ident).join(', ')}) on ${tableIdent(table)} to ${ident(role)};`,
    ),
  ]
}
