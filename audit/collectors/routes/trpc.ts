import type { Route } from '../../model.ts'
import type { Script } from '../javascript.ts'
import { functionNamed, type Modules, withHelpers } from '../modules.ts'
import { closing, lineAt, masked } from '../text.ts'
import { gatekeeper } from './guards.ts'
import { insideGuards } from './inside.ts'

/** Procedures of tRPC: `invoiceByToken: publicProcedure.input(…).query(…)` in a router. The file names the router. */
export function trpcRoutes(modules: Modules): Route[] {
  const routers = [...modules.scripts.values()].filter(
    it =>
      /\bcreateTRPCRouter|\bt\.router\(|\b[rR]outer\(\s*\{/.test(it.file.text) && /[pP]rocedure\b/.test(it.file.text),
  )
  return routers.flatMap(it => procedures(it, modules))
}

const entry =
  /^[ \t]+(\w+):\s*((?:\w+\.)?\w+)(?=\s*\.(?:input|output|use|meta|query|mutation|subscription|concat)\(|\s*,?\s*\n)/gm

function procedures(script: Script, modules: Modules): Route[] {
  const { path, text } = script.file
  const mask = masked(text)
  const router = path
    .split('/')
    .at(-1)!
    .replace(/\.\w+$/, '')
  return [...mask.matchAll(entry)].flatMap(({ index, 0: whole, 1: name, 2: base = '' }) => {
    const chained = text.slice(index, chainEnd(mask, index + whole.length))
    const called = /\.(query|mutation|subscription)\(/.test(chained)
    const known = definition(base, script, modules)
    if (!called && !/\.(query|mutation)\(/.test(known?.text ?? '')) return []
    if (!known && !/[pP]rocedure$/.test(base)) return []
    const body = called ? chained : known!.text
    const steps = [...(known ? guardsOf(known, modules) : namedGuard(base)), ...ownGuards(chained, script, modules)]
    const guards = [...new Set([...steps, ...insideGuards(body).filter(it => / role$/.test(it))])]
    const open = guards.length === 0
    // What a public procedure looks up by is a token wherever it is called one.
    const token = open ? body.match(/input\.(\w*(?:token|key|hash|portalId|shortId|linkId)\w*)/i)?.[1] : undefined
    return [
      {
        method: /\.mutation\(/.test(body) ? 'POST' : 'GET',
        path: `/trpc/${router === 'index' ? path.split('/').at(-2) : router}.${name}${token ? `/:${token}` : ''}`,
        guards,
        ...(open && { open }),
        handler: name!,
        body: withHelpers(body, called ? script : known!.script),
        at: `${path}:${lineAt(text, index)}`,
      },
    ]
  })
}

/** Where `.input(…).use(…).query(…)` ends. */
function chainEnd(mask: string, from: number): number {
  let at = from
  for (let step = nextStep(mask, at); step; step = nextStep(mask, at)) at = closing(mask, step) + 1
  return at
}

function nextStep(mask: string, at: number): number | undefined {
  const step = mask.slice(at, at + 200).match(/^\s*\.\w+\s*(?:<[^()]*>)?\(/)
  return step ? at + step[0].length - 1 : undefined
}

interface Definition {
  name: string
  text: string
  script: Script
}

/** `export const clientProcedure = publicProcedure.use(…)`, here or where it is imported from. */
function definition(name: string, script: Script, modules: Modules, depth = 0): Definition | undefined {
  const local = name.split('.').at(-1)!
  const { text, path } = script.file
  const made = text.match(new RegExp(`(?:const|let|var)\\s+${local}\\b[^=\\n]*=\\s*`))
  if (made?.index !== undefined) {
    const start = made.index + made[0].length
    const mask = masked(text)
    const head = mask.slice(start).match(/^[\w.]+/)?.[0] ?? ''
    return { name: local, text: text.slice(start, chainEnd(mask, start + withoutCall(head).length)), script }
  }
  const imported = script.imports.get(name.split('.')[0]!)
  const file = imported && depth < 4 ? modules.resolve(path, imported.from) : undefined
  const other = file ? modules.scripts.get(file) : undefined
  if (!other || other === script) return undefined
  return definition(other.exports.get(imported!.name) || imported!.name || local, other, modules, depth + 1)
}

/** `t.procedure` of `t.procedure.use`: the last name before a bracket is that of a call. */
const withoutCall = (head: string) =>
  head.replace(/\.(use|input|output|meta|query|mutation|subscription|concat|unstable_\w+)$/, '')

/** What stands in front of a procedure: its own middleware and that of what it is built on. */
function guardsOf({ name, text, script }: Definition, modules: Modules, depth = 0): string[] {
  const base = withoutCall(text.match(/^[\w.]+/)?.[0] ?? '')
  const own = ownGuards(text, script, modules)
  const root = /^\w*\.procedure$/.test(base) || base === 'procedure'
  const below = root || depth > 5 || base.endsWith(name) ? undefined : definition(base, script, modules)
  const inherited = below ? guardsOf(below, modules, depth + 1) : root ? [] : namedGuard(base)
  if (!own.length) return inherited
  return [...inherited, ...own.map(it => (/^inline/.test(it) ? it.replace('inline', name) : it))]
}

const namedGuard = (name: string) => (/^(\w+\.)?(public|open|base)?[pP]rocedure$/.test(name) ? [] : [name])

/** The middleware in `.use(…)` that turns somebody away. */
function ownGuards(chain: string, script: Script, modules: Modules): string[] {
  const mask = masked(chain)
  return [...mask.matchAll(/\.use\(/g)].flatMap(({ index }) => {
    const open = index + 4
    const inner = chain.slice(open + 1, closing(mask, open)).trim()
    const name = inner.match(/^[\w.]+/)?.[0] ?? ''
    const inline = /=>|^(async\s+)?function/.test(inner)
    const text = inline ? inner : (functionNamed(name, script, modules)?.text ?? middlewareText(name, script, modules))
    const found = gatekeeper(inline ? 'inline' : name, text, script.file.text)
    if (!found) return []
    return [
      clientContext.test(text ?? '') && !/client|customer|portal|contact/i.test(found.name)
        ? `${found.name} (client session)`
        : found.name,
    ]
  })
}

/** A middleware that asks for the client of the context. */
const clientContext = /!\s*ctx\.(session\??\.)?(user\??\.)?(client|customer|portal|contact)\w*/i

/** `const isAuthed = t.middleware(({ ctx, next }) => …)` */
const middlewareText = (name: string, script: Script, modules: Modules) =>
  /^\w+$/.test(name) ? definition(name, script, modules)?.text : undefined
