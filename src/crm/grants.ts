import { qualified } from './catalogue.ts'
import type { Columns, Crm } from './crm.ts'
import { ident, tableIdent } from './mapping/sql.ts'

interface TableGrants {
  reads?: Record<string, Columns>
  writes?: Crm['writes']
  adds?: Crm['adds']
}

/** Everything that an adapter reads, in one list: `schema.table` with its columns. */
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

/**
 * The least privileges that the portal's role needs on the CRM, as SQL: SELECT on the columns it reads, UPDATE on
 * those it changes, INSERT on those it sets in rows that it adds.
 */
export function grantsOf({ reads = {}, writes = {}, adds = {} }: TableGrants, role: string): string[] {
  const columns = columnsOf(reads)
  const schemas = [...new Set(Object.keys(columns).map(it => it.slice(0, it.indexOf('.'))))]
  return [
    ...schemas.map(it => `grant usage on schema ${ident(it)} to ${ident(role)};`),
    ...Object.entries(columns).map(
      ([table, its]) => `grant select (${its.map(ident).join(', ')}) on ${tableIdent(table)} to ${ident(role)};`,
    ),
    ...(
      [
        ['update', writes],
        ['insert', adds],
      ] as const
    ).flatMap(([what, its]) =>
      Object.entries(columnsOf(its)).map(
        ([table, names]) => `grant ${what} (${names.map(ident).join(', ')}) on ${tableIdent(table)} to ${ident(role)};`,
      ),
    ),
  ]
}
