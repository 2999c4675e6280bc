import type { Route } from '../../model.ts'
import { either } from '../../patterns.ts'
import type { Call, Script } from '../javascript.ts'
import { bodyOf, functionNamed, type Modules } from '../modules.ts'
import type { Piece } from '../pieces.ts'
import { type Gatekeeper, gatekeeper, under } from './guards.ts'
import { joined } from './paths.ts'

interface Router {
  routes: { method: string; path: string; guards: Guard[]; handler: Piece | undefined; at: string; start: number }[]
  /** Middleware for all that comes after it, under a path or everywhere. */
  guards: (Guard & { start: number; path: string })[]
  mounts: { path: string; guards: Guard[]; target: Piece; start: number }[]
  script: Script
  variable: string
}

/** A function in front of routes: by its name, or itself where it has none. */
interface Guard {
  name: string
  text?: string
}

/** A guard with the part of the application that it stands in front of. */
interface Standing extends Gatekeeper {
  covers(path: string): boolean
}

/** Routes of Express, and of Fastify, Koa and Hono, which are written alike, with the prefixes of their mounts. */
export function expressRoutes(modules: Modules): Route[] {
  const routers = new Map<string, Router>()
  for (const script of modules.scripts.values()) for (const call of script.calls) collect(call, script, routers)
  const mounted = new Set<string>()
  for (const router of routers.values())
    for (const it of router.mounts) for (const key of targets(it.target, router, routers, modules)) mounted.add(key)
  const found: Route[] = []
  const known = new Map<string, Gatekeeper | undefined>()
  for (const key of routers.keys()) if (!mounted.has(key)) expand(key, '', [], new Set())
  return found

  /** What a guard does is read once, however many routes it stands in front of. */
  function gatekeeperOf({ name, text }: Guard, script: Script): Gatekeeper | undefined {
    const key = `${script.file.path}#${name}#${text ?? ''}`
    if (!known.has(key)) {
      const found = text === undefined ? functionNamed(name, script, modules) : { text, script }
      known.set(key, gatekeeper(name, found?.text, found?.script.file.text ?? ''))
    }
    return known.get(key)
  }

  function standing(guards: Guard[], path: string, { script }: Router): Standing[] {
    const covers = path === '' ? () => true : under(joined(path))
    return guards.flatMap(it => {
      const found = gatekeeperOf(it, script)
      if (!found) return []
      const inner = (full: string) => found.lets(full) || found.lets(full.slice(joined(path).length) || '/')
      return [{ name: found.name, lets: inner, covers }]
    })
  }

  function expand(key: string, prefix: string, outer: Standing[], seen: Set<string>) {
    const router = routers.get(key)
    if (!router || seen.has(key) || seen.size > 12) return
    const routed = new Set(
      router.mounts
        .filter(it => targets(it.target, router, routers, modules).length)
        .flatMap(it => guardsIn(it.target).map(one => one.name)),
    )
    const own = router.guards
      .filter(it => !routed.has(it.name))
      .map(it => ({ start: it.start, standing: standing([it], `${prefix}${it.path && `/${it.path}`}`, router) }))
    const before = (start: number) => [...outer, ...own.filter(it => it.start < start).flatMap(it => it.standing)]
    const guarding = (guards: Guard[]) =>
      standing(
        guards.filter(it => !routed.has(it.name)),
        prefix,
        router,
      )
    for (const it of router.routes) {
      const { name, text } = bodyOf(it.handler, router.script, modules)
      const path = joined(prefix, it.path)
      const asked = [...before(it.start).filter(one => one.covers(path)), ...guarding(it.guards)]
      const guards = asked.filter(one => !one.lets(path)).map(one => one.name)
      const open = guards.length === 0 && asked.length > 0
      found.push({ method: it.method, path, guards, ...(open && { open }), handler: name, body: text, at: it.at })
    }
    for (const it of router.mounts)
      for (const inner of targets(it.target, router, routers, modules))
        expand(inner, `${prefix}/${it.path}`, [...before(it.start), ...guarding(it.guards)], new Set([...seen, key]))
  }
}

const verbs = /\.(get|post|put|patch|delete|del|all|head)$/

function collect(call: Call, script: Script, routers: Map<string, Router>) {
  const { name, args, line, start } = call
  const [variable, ...rest] = name.split('.')
  if (!variable || !rest.length) return
  const router = () => {
    const key = keyOf(script.file.path, homeOf(call), variable)
    if (!routers.has(key)) routers.set(key, { routes: [], guards: [], mounts: [], script, variable })
    return routers.get(key)!
  }
  const at = `${script.file.path}:${line}`
  const chained = rest[0] === 'route' && rest.length > 1
  if (verbs.test(name) && isRouter(variable, script)) {
    const first = chained ? chainedPath(call, script) : pathsOf(args[0], script)
    const handlers = chained ? args : args.slice(1)
    const last = handlers.at(-1)
    if (!first || !last || !answers(last)) return
    const guards = handlers.slice(0, -1).flatMap(guardsIn)
    for (const path of first)
      router().routes.push({
        method: verbs.exec(name)![1]!.toUpperCase().replace('ALL', 'ANY'),
        path,
        guards,
        handler: last,
        at,
        start,
      })
  } else if (rest.length === 1 && /^(use|register|route)$/.test(rest[0]!) && isRouter(variable, script)) {
    const [first, ...others] = args
    if (!first) return
    const paths = pathsOf(first, script)
    const listed = (paths ? others : args).filter(it => !it.entries)
    const prefix = args.find(it => it.entries?.prefix?.string)?.entries?.prefix?.string
    const places = rest[0] === 'register' ? [prefix ?? ''] : (paths ?? [''])
    // Each of several handlers may be a router, and those before it guard it.
    listed.forEach((target, index) => {
      const guards = listed.slice(0, index).flatMap(guardsIn)
      for (const path of places) router().mounts.push({ path, guards, target, start })
      if (rest[0] !== 'use') return
      for (const path of places)
        for (const it of guardsIn(target)) if (!paths || standsAlone(it)) router().guards.push({ ...it, start, path })
    })
  }
}

const httpClients = 'axios|api|http|https|fetch|client|request|supertest|agent'
const otherObjects = either(
  'jQuery',
  /\$/,
  '_ cy nock moxios apiClient httpClient cache redis store map params headers form config',
)
/** Variables with methods that are called like those of a router. */
const notRouters = new RegExp(`^(${httpClients}|${otherObjects.source})$`)

/** A variable of such a name counts where a router is made of it. */
const isRouter = (variable: string, { file }: Script) =>
  !notRouters.test(variable) ||
  new RegExp(
    `\\b${RegExp.escape(variable)}\\s*=\\s*(new\\s+)?([\\w.]+\\.)?(Router|express|Hono|Koa|[fF]astify)\\(`,
  ).test(file.text)

/** The function, class or method in which a router is made. */
const homeOf = (call: Call) => call.within.filter(it => it && it !== call.into)[0] ?? ''
const keyOf = (path: string, home: string, variable: string) => `${path}#${home}#${variable}`

function pathsOf(piece: Piece | undefined, script: Script): string[] | undefined {
  if (!piece) return undefined
  if (piece.string !== undefined) return /^(\/|\*|$)\S*$/.test(piece.string) ? [piece.string] : undefined
  if (piece.items?.length && piece.items.every(it => it.string !== undefined)) return piece.items.map(it => it.string!)
  if (script.strings.has(piece.text)) return [script.strings.get(piece.text)!]
  const template = piece.text.match(/^`([^`]*)`$/)?.[1]
  const filled = template?.replace(/\$\{(\w+)[^}]*\}/g, (_, name) => script.strings.get(name) ?? `:${name}`)
  return filled && /^\/\S*$/.test(filled) ? [filled] : undefined
}

function chainedPath({ start }: Call, script: Script) {
  const route = script.calls.find(it => it.start === start && /\.route$/.test(it.name))
  return pathsOf(route?.args[0], script)
}

const answers = (it: Piece) =>
  it.isFunction || it.call !== undefined || (/^[\w$.?[\]'"]+$/.test(it.text) && it.string === undefined)

function guardsIn(it: Piece): Guard[] {
  if (it.items) return it.items.flatMap(guardsIn)
  if (it.isFunction) return inlineGuard(it.text)
  return /^[\w$.]+/.test(it.text) && !notGuards.test(it.text)
    ? [{ name: it.text.replace(/\s+/g, ' ').slice(0, 80) }]
    : []
}

const notGuards =
  /^(express\.|cors|helmet|compression|bodyParser|morgan|cookieParser|upload|multer|rateLimit|session\()/

/** What is mounted under a path is mostly a router, even where none was found. */
const standsAlone = ({ name }: Guard) =>
  !/rout(er|es?)\b|controller|handler|^require\(|static|proxy|serve|\bapp\b/i.test(name)

/** Which routers an expression stands for: a variable, an import, `require(…)`, or a function that makes one. */
function targets(piece: Piece, from: Router, routers: Map<string, Router>, modules: Modules): string[] {
  const path = from.script.file.path
  const called = piece.call?.name ?? piece.text.replace(/\.(routes|router|default)(\(\))?$/, '')
  const required = piece.call?.name === 'require' ? piece.call.args[0]?.string : undefined
  if (required !== undefined) return inFile(modules.resolve(path, required), 'default')
  const name = called.replace(/\.(routes|router|default)$/, '').split('.')[0]!
  const own = [...routers.keys()].filter(key => key === keyOf(path, '', name) || key.startsWith(`${path}#${name}#`))
  if (own.length && !(name === from.variable)) return own
  const imported = from.script.imports.get(name)
  return imported ? inFile(modules.resolve(path, imported.from), imported.name) : []

  function inFile(file: string | undefined, exported: string): string[] {
    const script = file && modules.scripts.get(file)
    if (!script) return []
    const local = script.exports.get(exported === '*' ? 'default' : exported) ?? ''
    const passed = script.imports.get(exported === '*' ? 'default' : exported) ?? script.imports.get(local)
    const keys = [...routers.keys()].filter(key => key.startsWith(`${file}#`))
    const exact = keys.filter(key => key === keyOf(file, '', local) || (local && key.startsWith(`${file}#${local}#`)))
    if (exact.length) return exact
    if (passed && passed.from !== file && modules.resolve(file, passed.from) !== file)
      return inFile(modules.resolve(file, passed.from), passed.name)
    return exported === 'default' || exported === '*' ? keys : []
  }
}

/** Whether an inline function rejects requests: without a session, or for another reason. */
function inlineGuard(text: string): Guard[] {
  if (!/\b401\b|redirect\([^)]*(log|sign)[-_]?in|[Uu]nauthori[sz]ed/.test(text)) return []
  const name = readsSession.test(text) ? 'inline session guard' : 'inline guard'
  return [{ name, text }]
}

const readsSession = /!\s*(req|request|ctx)\.(user|session|auth|admin)|isAuthenticated\(\)|jwt\.verify|verifyToken/
