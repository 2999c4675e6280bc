import { createHash } from 'node:crypto'
import type { DataMap } from './judgement/data-map.ts'
import type { Table } from './model.ts'

/** The columns that the data map uses, each with its type: `invoices.total`, `numeric(12,2)`. */
export function columnsUsed(data: DataMap, tables: Table[]): Record<string, string> {
  const all = Object.values(data).flatMap(place => {
    const table = tables.find(it => it.name === place.table)
    const used = new Set(Object.values(place).flatMap(it => (typeof it === 'string' ? it.split(',') : [])))
    return table?.columns.filter(it => used.has(it.name)).map(it => [`${table.name}.${it.name}`, it.type]) ?? []
  })
  return Object.fromEntries(all.sort())
}

/** A hash of the columns and their types. It changes when a mapped column changes. */
export const fingerprintOf = (columns: Record<string, string>): string =>
  createHash('sha256')
    .update(
      Object.entries(columns)
        .map(([name, type]) => `${name} ${type}`)
        .sort()
        .join('\n'),
    )
    .digest('hex')
