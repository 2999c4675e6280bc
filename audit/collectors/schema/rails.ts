import type { Column } from '../../model.ts'
import type { SourceFile } from '../tree.ts'
import type { Change } from './changes.ts'

/** `db/schema.rb` and Rails migrations; what is in `def down` is left out. */
export function railsChanges({ path, text }: SourceFile): Change[] {
  const found: Change[] = []
  let table: string | undefined
  let down = false
  text.split('\n').forEach((line, number) => {
    const at = `${path}:${number + 1}`
    if (/^\s*def\s+(self\.)?(\w+)/.test(line)) down = /def\s+(self\.)?down/.test(line)
    if (down) return
    const opened = line.match(/\b(create_table|change_table)\s*\(?\s*[:"'](\w+)/)
    if (opened) {
      table = opened[2]!
      if (opened[1] === 'create_table') {
        const id: Column[] = /id:\s*false/.test(line) ? [] : [{ name: 'id', type: 'bigint', at }]
        found.push({ kind: 'table', table, columns: id, at })
      }
      if (!/\bdo\b|\{/.test(line)) table = undefined
      return
    }
    if (/^\s{0,4}end\b/.test(line)) table = undefined
    found.push(...(table ? column(line, table, at) : statement(line, at)))
  })
  return found
}

function column(line: string, table: string, at: string): Change[] {
  const match = line.match(/^\s*\w+\.(\w+)\s*\(?\s*(.*)$/)
  if (!match) return []
  const [, verb, rest] = match
  if (verb === 'timestamps')
    return ['created_at', 'updated_at'].map(name => ({ kind: 'column', table, column: { name, type: 'datetime', at } }))
  if (/^(index|check_constraint)$/.test(verb!)) return []
  if (verb === 'column')
    return [...rest!.matchAll(/^[:"'](\w+)["']?,\s*[:"'](\w+)/g)].map(it => ({
      kind: 'column',
      table,
      column: { name: it[1]!, type: it[2]!, at },
    }))
  const names = [...rest!.replace(/\b\w+:\s.*$/, '').matchAll(/[:"'](\w+)/g)].map(it => it[1]!)
  if (verb === 'remove') return names.map(name => ({ kind: 'drop column', table, column: name }))
  if (verb === 'rename' && names[1]) return [{ kind: 'rename column', table, column: names[0]!, to: names[1] }]
  if (/^(references|belongs_to)$/.test(verb!))
    return names.flatMap(name => [
      {
        kind: 'column' as const,
        table,
        column: {
          name: `${name}_id`,
          type: 'bigint',
          at,
          ...(/polymorphic/.test(line) ? {} : { references: target(line, name) }),
        },
      },
      ...(/polymorphic/.test(line)
        ? [{ kind: 'column' as const, table, column: { name: `${name}_type`, type: 'string', at } }]
        : []),
    ])
  return names.map(name => ({ kind: 'column', table, column: { name, type: verb!, at } }))
}

const columnMethods = 'add_column|remove_column|rename_column'
const tableMethods = 'rename_table|drop_table'
const keyMethods = 'add_reference|add_belongs_to|add_foreign_key'
const railsStatement = new RegExp(`^\\s*(${columnMethods}|${tableMethods}|${keyMethods})\\s*\\(?\\s*(.*)$`)

function statement(line: string, at: string): Change[] {
  const match = line.match(railsStatement)
  if (!match) return []
  const [one, two, three] = [...match[2]!.matchAll(/[:"'](\w+)/g)].map(it => it[1]!)
  if (!one) return []
  switch (match[1]) {
    case 'add_column':
      return two ? [{ kind: 'column', table: one, column: { name: two, type: three ?? '', at } }] : []
    case 'add_reference':
    case 'add_belongs_to':
      return two
        ? [
            {
              kind: 'column',
              table: one,
              column: { name: `${two}_id`, type: 'bigint', at, references: target(line, two) },
            },
          ]
        : []
    case 'add_foreign_key':
      return two
        ? [
            {
              kind: 'reference',
              table: one,
              column: line.match(/column:\s*[:"'](\w+)/)?.[1] ?? `${two.replace(/s$/, '')}_id`,
              references: two,
            },
          ]
        : []
    case 'remove_column':
      return two ? [{ kind: 'drop column', table: one, column: two }] : []
    case 'rename_column':
      return two && three ? [{ kind: 'rename column', table: one, column: two, to: three }] : []
    case 'rename_table':
      return two ? [{ kind: 'rename', table: one, to: two }] : []
    default:
      return [{ kind: 'drop', table: one }]
  }
}

const target = (line: string, name: string) => line.match(/to_table:\s*[:"'](\w+)/)?.[1] ?? `${name}s`
