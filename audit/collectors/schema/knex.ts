import type { Column } from '../../model.ts'
import { either } from '../../patterns.ts'
import type { Call, Script } from '../javascript.ts'
import type { Change } from './changes.ts'
import { sqlChanges } from './sql.ts'

/** Migrations of knex, Sequelize's queryInterface, TypeORM's queryRunner, and SQL in strings, without their ways back. */
export function migrationChanges(script: Script): Change[] {
  const forward = script.calls.filter(it => !it.within.includes('down') && !it.within.includes('rollback'))
  return forward.flatMap(call => builder(call, script) ?? runner(call, script) ?? raw(call, script))
}

function builder({ name, args, start, end }: Call, script: Script): Change[] | undefined {
  const verb = name.split('.').at(-1)!
  const table = args[0]?.string
  if (!table || !/schema/.test(name)) return undefined
  if (/^(dropTable|dropTableIfExists)$/.test(verb)) return [{ kind: 'drop', table }]
  if (verb === 'renameTable' && args[1]?.string) return [{ kind: 'rename', table, to: args[1].string }]
  if (!/^(createTable|createTableIfNotExists|createTableLike|alterTable|table)$/.test(verb)) return undefined
  const path = script.file.path
  const inside = script.calls.filter(it => it.start > start && it.end < end)
  const changes = inside.flatMap(it => columnChange(it, inside, table, path))
  return verb.startsWith('create')
    ? [
        { kind: 'table', table, columns: [], at: `${path}:${script.calls.find(it => it.start === start)?.line}` },
        ...changes,
      ]
    : changes
}

const numberTypes = either(
  'increments bigIncrements tinyint smallint mediumint integer bigInteger bigint float double real decimal numeric',
)
const textAndDateTypes = either('string varchar char text boolean bool date datetime dateTime timestamp time')
const otherTypes = 'uuid|json|jsonb|binary|enum|enu|specificType|geometry|point'
const columnType = new RegExp(`\\.(${numberTypes.source}|${textAndDateTypes.source}|${otherTypes})$`)

/** A column is one chain of calls: the innermost names its type, `references` and `inTable` may follow. */
function columnChange({ name, args, line, start }: Call, inside: Call[], table: string, path: string): Change[] {
  const at = `${path}:${line}`
  const [head, verb] = name.split(/\.(?=\w+$)/)
  const first = args[0]?.string
  if (verb === 'dropColumn' || verb === 'dropColumns')
    return args.flatMap(it => (it.string ? [{ kind: 'drop column' as const, table, column: it.string }] : []))
  if (verb === 'renameColumn' && first && args[1]?.string)
    return [{ kind: 'rename column', table, column: first, to: args[1].string }]
  if (verb === 'timestamps')
    return ['created_at', 'updated_at'].map(it => ({
      kind: 'column',
      table,
      column: { name: it, type: 'timestamp', at },
    }))
  const typed = columnType.exec(name)
  if (typed && /^\w+$/.test(head ?? '') && (first || /ncrements$/.test(verb!)))
    return [
      {
        kind: 'column',
        table,
        column: columnOf(
          first ?? 'id',
          typed[1]!,
          args[1]?.items?.map(it => it.string ?? ''),
          at,
        ),
      },
    ]
  if ((verb === 'inTable' || verb === 'references') && first) {
    const column = inside.find(it => it.start === start && columnType.test(it.name))?.args[0]?.string
    const to = verb === 'inTable' ? first : first.match(/^(.*?)\./)?.[1]
    return to && column ? [{ kind: 'reference', table, column, references: to }] : []
  }
  return []
}

const columnOf = (name: string, type: string, values: string[] | undefined, at: string): Column => ({
  name,
  type: type.toLowerCase(),
  at,
  ...(/^enum?$/.test(type) && values && { values }),
})

function runner({ name, args, line }: Call, { file }: Script): Change[] | undefined {
  const verb = name.split('.').at(-1)!
  if (!/query(Interface|Runner)/i.test(name)) return undefined
  const at = `${file.path}:${line}`
  const table = args[0]?.string
  if (verb === 'createTable') {
    const options = args[0]?.call?.args[0]?.entries
    const named = table ?? options?.name?.string
    if (!named) return []
    const listed = options?.columns?.items?.flatMap(it =>
      it.entries?.name?.string ? [{ name: it.entries.name.string, type: it.entries.type?.string ?? '', at }] : [],
    )
    const keyed = Object.entries(args[1]?.entries ?? {}).map(([column, it]) => ({
      name: column,
      type: typeIn(it.text),
      at,
      ...referenceIn(it.text),
    }))
    return [{ kind: 'table', table: named, columns: listed ?? keyed, at }]
  }
  if (!table) return undefined
  if (verb === 'dropTable') return [{ kind: 'drop', table }]
  if (verb === 'renameTable' && args[1]?.string) return [{ kind: 'rename', table, to: args[1].string }]
  const column = args[1]?.string ?? args[1]?.call?.args[0]?.entries?.name?.string
  if (verb === 'addColumn' && column)
    return [
      {
        kind: 'column',
        table,
        column: { name: column, type: typeIn(args[2]?.text ?? args[1]!.text), at, ...referenceIn(args[2]?.text ?? '') },
      },
    ]
  if ((verb === 'removeColumn' || verb === 'dropColumn') && column) return [{ kind: 'drop column', table, column }]
  if (verb === 'renameColumn' && column && args[2]?.string)
    return [{ kind: 'rename column', table, column, to: args[2].string }]
  return undefined
}

const typeIn = (source: string) =>
  source.match(/(?:Sequelize|DataTypes?)\.(\w+)/)?.[1]?.toLowerCase() ?? source.match(/type:\s*['"](\w+)/)?.[1] ?? ''

const referenceIn = (source: string) => {
  const references = source.match(/references:\s*(?:\{[^}]*model:\s*['"](\w+)|['"](\w+))/)
  return references ? { references: references[1] ?? references[2]! } : {}
}

function raw({ args, start }: Call, { file }: Script): Change[] {
  return args.flatMap(({ text }) => {
    if (
      !/^\s*[`'"]/.test(text) ||
      !/\b(create|alter|drop|rename)\s+(table|(materialized\s+)?view|or\s+replace\s+view)\b/i.test(text)
    )
      return []
    return sqlChanges(file, text.slice(1, -1), file.text.indexOf(text, start))
  })
}
