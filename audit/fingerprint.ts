import { createHash } from 'node:crypto'
import type { DataMap } from './judgement/data-map.ts'
import type { Table } from './model.ts'

/** A hash over the columns that the data map uses, with their types: another one means that the map has drifted. */
export function fingerprintOf(data: DataMap, tables: Table[]): string {
  const lines = Object.values(data).flatMap(place => {
    const table = tables.find(it => it.name === place.table)
    const used = new Set(Object.values(place).flatMap(it => (typeof it === 'string' ? it.split(',') : [])))
    return table ? table.columns.filter(it => used.has(it.name)).map(it => `${table.name}.${it.name} ${it.type}`) : []
  })
  return createHash('sha256')
    .update([...new Set(lines)].sort().join('\n'))
    .digest('hex')
}
