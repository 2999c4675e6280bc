import type { Column } from '../../model.ts'
import type { Call, Script } from '../javascript.ts'
import type { Class, Piece } from '../pieces.ts'
import { type Change, snake } from './changes.ts'

/** Models of TypeORM and MikroORM (classes), Sequelize, Drizzle and Mongoose (calls), Objection (`static tableName`). */
export const modelChanges = (script: Script, classes: Map<string, Class>): Change[] => [
  ...script.classes.flatMap(it => entity(it, script, classes) ?? typegoose(it, script) ?? []),
  ...script.calls.flatMap(it => drizzle(it, script) ?? sequelize(it, script) ?? mongoose(it, script) ?? []),
]

function entity(it: Class, { file }: Script, classes: Map<string, Class>): Change[] | undefined {
  const decorator = it.decorators.find(one => /^(Entity|ViewEntity|WorkspaceEntity|Table)$/.test(one.call?.name ?? ''))
  const declared = it.members
    .find(one => one.name === 'tableName' && /static/.test(one.text))
    ?.text.match(/['"`](\w+)['"`]/)?.[1]
  if (!decorator && !declared) return undefined
  const [first, second] = decorator?.call?.args ?? []
  const options = first?.entries ?? second?.entries
  const table =
    declared ??
    first?.string ??
    options?.name?.string ??
    options?.tableName?.string ??
    options?.namePlural?.string ??
    snake(it.name)
  const members = (of: Class, depth = 0): Class['members'] => {
    const parent = depth < 6 && of.parent ? classes.get(of.parent) : undefined
    return [...(parent ? members(parent, depth + 1) : []), ...of.members]
  }
  const columns = members(it).flatMap(one => classColumn(one, file.path))
  return [{ kind: 'table', table, columns, at: `${file.path}:${it.line}`, model: it.name }]
}

function classColumn(member: Class['members'][number], path: string): Column[] {
  const at = `${path}:${member.line}`
  const named = (pattern: RegExp) => member.decorators.find(it => pattern.test(it.call?.name ?? it.text))
  const relation = named(/^(ManyToOne|OneToOne|BelongsTo|WorkspaceRelation)$/)
  const joined = named(/^(JoinColumn|WorkspaceJoinColumn)$/)
  if (relation && !/OneToMany|ManyToMany/.test(relation.text)) {
    const target = relation.text.match(/=>\s*(\w+)/)?.[1] ?? relation.text.match(/['"](\w+)['"]/)?.[1]
    const name = joined?.call?.args[0]?.entries?.name?.string ?? `${member.name}Id`
    return target ? [{ name, type: '', at, references: snake(target) }] : []
  }
  const column = named(/^(\w*Column|WorkspaceField|Property|PrimaryKey|Enum|IdentifiedReference|Field|Prop)$/)
  if (!column) return []
  const options = column.call?.args.find(it => it.entries)?.entries
  const type = column.call?.args[0]?.string ?? options?.type?.string ?? member.type
  return [{ name: options?.name?.string ?? member.name, type: type.toLowerCase(), at, ...valuesOf(options?.enum) }]
}

function typegoose(it: Class, { file }: Script): Change[] | undefined {
  if (!it.decorators.some(one => /^(Schema|modelOptions)$/.test(one.call?.name ?? ''))) return undefined
  const columns = it.members.flatMap(member => {
    const prop = member.decorators.find(one => /^(Prop|prop)$/.test(one.call?.name ?? ''))
    const references = prop?.text.match(/ref:\s*(?:\(\)\s*=>\s*)?['"]?(\w+)/)?.[1]
    return prop
      ? [
          {
            name: member.name,
            type: member.type.toLowerCase(),
            at: `${file.path}:${member.line}`,
            ...(references && { references }),
          },
        ]
      : []
  })
  return [{ kind: 'table', table: it.name, columns, at: `${file.path}:${it.line}`, model: it.name }]
}

function drizzle({ name, args, line, into }: Call, { file }: Script): Change[] | undefined {
  if (!/(^|\.)(pg|mysql|sqlite|singlestore)?Table$|\.table$/.test(name) || !args[0]?.string || !args[1]?.entries)
    return undefined
  const columns = Object.entries(args[1].entries).map(([key, it]) => {
    const references = it.text.match(/references\(\s*\(\)(?::\s*\w+)?\s*=>\s*(\w+)/)?.[1]
    const own = it.text.match(/^\w+\(\s*['"`]([\w ]+)['"`]/)?.[1]
    return {
      name: own ?? key,
      type: it.text.match(/^\w+/)?.[0]?.toLowerCase() ?? '',
      at: `${file.path}:${it.line}`,
      ...(references && { references: snake(references) }),
      ...valuesIn(it.text),
    }
  })
  return [{ kind: 'table', table: args[0].string, columns, at: `${file.path}:${line}`, ...(into && { model: into }) }]
}

function sequelize({ name, args, line, into }: Call, { file }: Script): Change[] | undefined {
  const made = /\.define$/.test(name) && args[0]?.string && args[1]?.entries
  const initialised = /\.init$/.test(name) && args[0]?.entries && /sequelize/i.test(args[1]?.text ?? '')
  if (!made && !initialised) return undefined
  const model = made ? args[0]!.string! : initialisedModel(name, into)
  const fields = (made ? args[1] : args[0])!.entries!
  const options = (made ? args[2] : args[1])?.entries
  const table = options?.tableName?.string ?? options?.modelName?.string ?? model
  const columns = Object.entries(fields).map(([key, it]) => fieldOf(it.entries?.field?.string ?? key, it, file.path))
  return [{ kind: 'table', table, columns, at: `${file.path}:${line}`, model }]
}

/** `Invoice.init(…)`, or `super.init(…)` in a class. */
function initialisedModel(name: string, into: string | undefined): string {
  const receiver = name.split('.')[0]!
  return receiver === 'super' || name.startsWith('this') ? (into ?? 'model') : receiver
}

function mongoose(call: Call, script: Script): Change[] | undefined {
  const { name, args, line, into, start } = call
  if (!/(^|\.)Schema$/.test(name) || !args[0]?.entries) return undefined
  const { file } = script
  const modelled = script.calls.find(
    it =>
      /(^|\.)model$/.test(it.name) &&
      it.args[0]?.string &&
      (it.args[1]?.text === into || (it.start < start && it.end > start)),
  )
  const embedded = !modelled && script.calls.some(it => /(^|\.)model$/.test(it.name))
  const model = modelled?.args[0]?.string ?? into?.replace(/Schema$/, '')
  if (!model || embedded) return undefined
  const columns = Object.entries(args[0].entries).map(([key, it]) => fieldOf(key, it, file.path))
  const collection = args[1]?.entries?.collection?.string
  return [{ kind: 'table', table: collection ?? collectionOf(model), columns, at: `${file.path}:${line}`, model }]
}

function fieldOf(name: string, it: Piece, path: string): Column {
  const references =
    it.text.match(/\bref:\s*['"](\w+)['"]/)?.[1] ?? it.text.match(/references:\s*\{[^}]*model:\s*['"]?(\w+)/)?.[1]
  const type = it.entries?.type?.text ?? it.text.match(/^[\w.]+/)?.[0] ?? (it.items ? 'array' : '')
  return {
    name,
    type: type.replace(/^.*\./, '').toLowerCase().slice(0, 40),
    at: `${path}:${it.line}`,
    ...(references && { references }),
    ...valuesOf(it.entries?.enum),
    ...valuesIn(it.text),
  }
}

const valuesOf = (it: Piece | undefined) => {
  const values = it?.items?.map(one => one.string).filter(one => one !== undefined)
  return values?.length ? { values } : {}
}

const valuesIn = (source: string) => {
  const listed = source.match(/\b(?:ENUM|enum)\s*[:(]\s*(?:['"]\w+['"]\s*,\s*)?\[?((?:\s*['"][^'"]*['"]\s*,?)+)/)
  return listed ? { values: [...listed[1]!.matchAll(/['"]([^'"]*)['"]/g)].map(it => it[1]!) } : {}
}

/** Mongoose names a collection after its model: small letters, plural. */
const collectionOf = (model: string) => {
  const name = model.trim().toLowerCase()
  if (/s$/.test(name)) return name
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`
  return /(x|ch|sh)$/.test(name) ? `${name}es` : `${name}s`
}
