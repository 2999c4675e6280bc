import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { functionNamed, type Modules, withHelpers } from '../modules.ts'
import { hashes, indented, lineAt, masked, parts, spans } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { decorators } from './decorated.ts'
import { insideGuards, tokenArgument } from './inside.ts'

/** Queries and mutations of GraphQL: resolver maps, Pothos and Nexus, Strawberry and Graphene, and what the schema alone names. */
export function graphqlRoutes(files: SourceFile[], modules: Modules, known: Route[]): Route[] {
  const scripts = [...modules.scripts.values()].filter(it =>
    /graphql|gql|resolver|builder\.|Apollo|Yoga/i.test(it.file.text),
  )
  const python = files.filter(it => it.path.endsWith('.py') && /strawberry|graphene|ariadne/.test(it.text))
  const resolved = [
    ...scripts.flatMap(it => [...resolverMaps(it, modules), ...builtFields(it)]),
    ...python.flatMap(it => [...pythonFields(it), ...grapheneFields(it)]),
  ]
  const names = new Set([...known, ...resolved].map(it => it.path.split('/')[2]?.toLowerCase()))
  const declared = files.flatMap(schemaFields)
  const directives = new Map(declared.map(it => [it.path, it.guards]))
  const unresolved = declared.filter(it => !names.has(it.path.split('/')[2]!.toLowerCase()))
  return [...resolved.map(it => ({ ...it, guards: [...(directives.get(it.path) ?? []), ...it.guards] })), ...unresolved]
}

interface Field {
  kind: string
  name: string
  body: string
  guards: string[]
  at: string
}

function fieldRoute({ kind, name, body, guards, at }: Field): Route {
  const token = guards.length
    ? undefined
    : (tokenArgument(body) ?? body.match(/\bargs?\.(\w*(?:token|hash|key)\w*)/i)?.[1])
  const path = `/graphql/${name}${token ? `/:${token}` : ''}`
  return { method: /query/i.test(kind) ? 'GET' : 'POST', path, guards, handler: name, body, at }
}

/** `{ Query: { invoices: (_, args, ctx) => … }, Mutation: { … } }`, and objects of these names. */
function resolverMaps(script: Script, modules: Modules): Route[] {
  const { text } = script.file
  if (!/resolvers?|Query|Mutation/.test(text) || /\btype\s+(Query|Mutation)\b[^`]*$/.test(text.slice(0, 200))) return []
  const mask = masked(text)
  const objects = [...mask.matchAll(/\b(Query|Mutation)\s*(?::\s*\w+\s*=|:\s*\w*Resolvers\[[^\]]*\]\s*=|[:=])\s*\{/g)]
  return objects.flatMap(match => {
    const open = match.index + match[0].length - 1
    return entriesOf(script, mask, open).flatMap(it => entryRoutes(it, match[1]!, script, modules))
  })
}

interface Entry {
  source: string
  line: number
}

const entriesOf = ({ file: { text } }: Script, mask: string, open: number): Entry[] =>
  spans(mask, open)
    .map(([start, end]) => ({ source: text.slice(start, end), start }))
    .filter(it => /\S/.test(it.source))
    .map(({ source, start }) => ({ source, line: lineAt(text, start + source.search(/\S/)) }))

function entryRoutes({ source, line }: Entry, kind: string, script: Script, modules: Modules): Route[] {
  const text = source.replace(/^(\s*(\/\/[^\n]*\n|\/\*[\s\S]*?\*\/))*/, '').trim()
  const spread = text.match(/^\.\.\.(\w+)$/)?.[1]
  if (spread) return spreadRoutes(spread, kind, script, modules)
  const name = text.match(/^(?:async\s+)?['"]?(\w+)/)?.[1]
  if (!name) return []
  const value = text.match(/^['"]?\w+['"]?\s*:\s*([\s\S]*)$/)?.[1] ?? (/^\w+$/.test(text) ? text : undefined)
  const called = value && /^[\w.]+$/.test(value) ? functionNamed(value, script, modules) : undefined
  const body = called?.text ?? (value && /^[\w.]+$/.test(value) ? '' : withHelpers(text, script))
  return [fieldRoute({ kind, name, body, guards: insideGuards(body), at: `${script.file.path}:${line}` })]
}

/** `...invoiceMutations`: an object of this file, or of the one that it is imported from. */
function spreadRoutes(name: string, kind: string, script: Script, modules: Modules, depth = 0): Route[] {
  const mask = masked(script.file.text)
  const made = mask.match(new RegExp(`\\b(?:const|let)\\s+${name}\\b[^=\\n]*=\\s*\\{`))
  if (made?.index !== undefined)
    return entriesOf(script, mask, made.index + made[0].length - 1).flatMap(it =>
      entryRoutes(it, kind, script, modules),
    )
  const imported = script.imports.get(name)
  const file = imported && depth < 3 ? modules.resolve(script.file.path, imported.from) : undefined
  const other = file ? modules.scripts.get(file) : undefined
  if (!other) return []
  return spreadRoutes(other.exports.get(imported!.name) || imported!.name, kind, other, modules, depth + 1)
}

const builtField = /\.?\b(queryField|mutationField)\(|\b(queryType|mutationType)\(|\bextendType\(/g

/** Fields that calls make: `builder.mutationField('acceptQuote', t => …)`, `t.field('quote', { … })` in a type. */
function builtFields(script: Script): Route[] {
  const { text, path } = script.file
  if (!/queryField|mutationField|queryType|mutationType|extendType/.test(text)) return []
  const mask = masked(text)
  return [...mask.matchAll(builtField)].flatMap(match => {
    const open = match.index + match[0].length - 1
    const made = parts(text, mask, open)
    const single = made[0]?.match(/^['"](\w+)['"]$/)?.[1]
    const at = `${path}:${lineAt(text, match.index)}`
    if (single) return [builtRoute(match[1] ?? 'query', single, made.slice(1).join(', '), script, at)]
    const kind = match[2] ?? made[0]?.match(/type:\s*['"](Query|Mutation)/)?.[1]
    return kind ? fieldsInside(kind, text, mask, open, script) : []
  })
}

function builtRoute(kind: string, name: string, text: string, script: Script, at: string): Route {
  const scopes = [...text.matchAll(/\b(?:authScopes|authorize|shield|permissions?)\s*:\s*(\{[^}]*\}|[\w.]+)/g)]
  const guards = [...scopes.map(it => `auth ${it[1]!.replace(/\s+/g, ' ').slice(0, 60)}`), ...insideGuards(text)]
  return fieldRoute({ kind, name, body: withHelpers(text, script), guards, at })
}

const innerField = /(?:^|[\s,{])(\w+)\s*:\s*t\.\w+\(|\bt(?:\.\w+)*\.field\(\s*['"](\w+)['"]/g

function fieldsInside(kind: string, text: string, mask: string, open: number, script: Script): Route[] {
  const [start = 0] = spans(mask, open)[0] ?? []
  const end = spans(mask, open).at(-1)?.[1] ?? start
  const found = [...text.slice(start, end).matchAll(innerField)]
  return found.map((it, position) => {
    const from = start + it.index
    const body = text.slice(from, position + 1 < found.length ? start + found[position + 1]!.index : end)
    return builtRoute(kind, (it[1] ?? it[2])!, body, script, `${script.file.path}:${lineAt(text, from + 1)}`)
  })
}

const strawberryField = /^[ \t]*@(?:strawberry(?:_django)?\.)?(?:\w+\.)?(mutation|field)\b/gm

/** Strawberry's and Ariadne's fields, of the types that are called after queries and mutations. */
function pythonFields({ path, text }: SourceFile): Route[] {
  const mask = masked(text, hashes)
  return [...mask.matchAll(strawberryField)].flatMap(({ index, 1: verb = '' }) => {
    const definition = mask.slice(index).match(/\bdef\s+(\w+)/)
    const owner = [...mask.slice(0, index).matchAll(/^class\s+(\w+)/gm)].at(-1)?.[1] ?? ''
    if (!definition || (verb === 'field' && !/Query$/.test(owner))) return []
    const from = index + definition.index!
    const head = text.slice(index, from)
    const named = head.match(/permission_classes\s*=\s*\[([^\]]*)/)?.[1]?.match(/\w+/g) ?? []
    const guards = [
      ...named,
      ...decorators(head).filter(it => /login|auth|permission|required/i.test(it) && !/permission_classes/.test(it)),
    ]
    const kind = verb === 'mutation' ? 'mutation' : 'query'
    const at = `${path}:${lineAt(text, from)}`
    return [fieldRoute({ kind, name: camel(definition[1]!), body: indented(text, from), guards, at })]
  })
}

/** Graphene's `mutate` of a class that is a mutation, and `resolve_…` of the class of queries. */
function grapheneFields({ path, text }: SourceFile): Route[] {
  if (!/graphene/.test(text)) return []
  const mask = masked(text, hashes)
  return [...mask.matchAll(/^[ \t]+def\s+(mutate\w*|perform_mutation|resolve_\w+)\s*\(/gm)].flatMap(
    ({ index, 1: method = '' }) => {
      const owner = [...mask.slice(0, index).matchAll(/^class\s+(\w+)\s*\(([^)]*)/gm)].at(-1)
      const mutates = !method.startsWith('resolve_')
      if (!owner || (!mutates && !/Quer(y|ies)$/.test(owner[1]!)) || (mutates && !/Mutation/.test(owner[2]!))) return []
      const before = text.slice(text.lastIndexOf('\n\n', index) + 1, index)
      const guards = decorators(before).filter(it => /login|auth|permission|required|user_passes/i.test(it))
      const name = mutates ? owner[1]!.replace(/Mutation$/, '') : method.slice('resolve_'.length)
      const at = `${path}:${lineAt(text, index + 1)}`
      return [
        fieldRoute({
          kind: mutates ? 'mutation' : 'query',
          name: camel(name),
          body: indented(text, index + 1),
          guards,
          at,
        }),
      ]
    },
  )
}

const camel = (name: string) =>
  (name[0]!.toLowerCase() + name.slice(1)).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

const rootType = /^[ \t]*(?:extend\s+)?type\s+(Query|Mutation)\b[^{]*\{([\s\S]*?)^[ \t]*\}/gm
const schemaField = /^[ \t]*(\w+)\s*(\((?:[^()]|\([^)]*\))*\))?\s*:\s*[\w![\]]+([^\n]*)/gm

/** `type Mutation { acceptQuote(token: String!): Quote @auth }` in a schema that nobody generated. */
function schemaFields({ path, text }: SourceFile): Route[] {
  if (!/\.(graphqls?|gql|[cm]?[jt]s)$/.test(path) || !/\btype\s+(Query|Mutation)\b/.test(text)) return []
  if (/AUTOMATICALLY GENERATED|generated by|DO NOT (EDIT|MODIFY)/i.test(text.slice(0, 600))) return []
  return [...text.matchAll(rootType)].flatMap(({ index, 0: whole, 1: kind = '', 2: body = '' }) => {
    const start = index + whole.indexOf(body)
    const fields = body.replace(/"""[\s\S]*?"""|#[^\n]*/g, it => it.replace(/[^\n]/g, ' '))
    return [...fields.matchAll(schemaField)].map(it => ({
      method: kind === 'Query' ? 'GET' : 'POST',
      path: `/graphql/${it[1]}`,
      guards: [...(it[3] ?? '').matchAll(/@(\w*(?:auth|role|login|permission|guard)\w*(?:\([^)]*\))?)/gi)].map(
        one => one[1]!,
      ),
      handler: it[1]!,
      body: '',
      at: `${path}:${lineAt(text, start + it.index + 1)}`,
    }))
  })
}
