import type { Column, Evidence, Table } from '../../model.ts'

/** What a migration or a model says about the schema. A run of them is replayed in order. */
export type Change =
  | { kind: 'table'; table: string; columns: Column[]; at: Evidence; model?: string; view?: boolean }
  | { kind: 'column'; table: string; column: Column }
  | { kind: 'drop column'; table: string; column: string }
  | { kind: 'rename column'; table: string; column: string; to: string }
  | { kind: 'reference'; table: string; column: string; references: string }
  | { kind: 'rename'; table: string; to: string }
  | { kind: 'drop'; table: string }

/** The tables as they are after all changes. A table that is defined twice has the columns of both. */
export function replay(changes: Change[]): Table[] {
  const tables = new Map<string, Table>()
  const find = (name: string) => tables.get(key(name))
  for (const change of changes) {
    const table = find(change.table)
    switch (change.kind) {
      case 'table': {
        const { columns, at, model, view } = change
        if (table) for (const it of columns) put(table, it)
        else
          tables.set(key(change.table), { name: bare(change.table), columns: [...columns], at, ...(view && { view }) })
        const made = find(change.table)!
        if (model) made.model = model
        break
      }
      case 'column':
        if (table) put(table, change.column)
        break
      case 'drop column':
        if (table) table.columns = table.columns.filter(it => !same(it.name, change.column))
        break
      case 'rename column':
        for (const it of table?.columns ?? []) if (same(it.name, change.column)) it.name = change.to
        break
      case 'reference': {
        const column = table?.columns.find(it => same(it.name, change.column))
        if (column) column.references = bare(change.references)
        break
      }
      case 'rename':
        if (!table) break
        tables.delete(key(change.table))
        tables.set(key(change.to), { ...table, name: bare(change.to) })
        for (const other of tables.values())
          for (const it of other.columns)
            if (it.references && same(it.references, change.table)) it.references = bare(change.to)
        break
      case 'drop':
        tables.delete(key(change.table))
    }
  }
  return [...tables.values()]
}

function put(table: Table, column: Column) {
  const old = table.columns.find(it => same(it.name, column.name))
  if (!old) table.columns.push(column)
  else Object.assign(old, { ...column, at: old.at, type: column.type || old.type })
}

const bare = (name: string) => name.replace(/["'`[\]]/g, '').replace(/^\w+\.(?=\w)/, '')
const key = (name: string) => bare(name).toLowerCase()
const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

export const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
