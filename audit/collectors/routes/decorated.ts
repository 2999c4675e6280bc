import type { Route } from '../../model.ts'
import { hashes, indented, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

export const decorators = (head: string) => [...head.matchAll(/^[ \t]*@([\w.]+(?:\([^\n]*\))?)/gm)].map(it => it[1]!)

/** The decorated functions of Flask, FastAPI, Odoo and Frappe in all files of Python. */
export function decoratedFunctions(files: SourceFile[]): Route[] {
  const inclusions = files.flatMap(inclusionsIn)
  return files.flatMap(it => functionsOf(it, inclusions))
}

/** `include_router(invoices.router, prefix='/invoices')` */
interface Inclusion {
  router: string
  options: string
}

function inclusionsIn({ text }: SourceFile): Inclusion[] {
  if (!/include_router|register_blueprint/.test(text)) return []
  const mask = masked(text, hashes)
  return [...mask.matchAll(/(?:include_router|register_blueprint)\(/g)].map(match => {
    const [router = '', ...options] = parts(text, mask, match.index + match[0].length - 1)
    return { router, options: options.join(', ') }
  })
}

function functionsOf(file: SourceFile, inclusions: Inclusion[]): Route[] {
  if (!/^[ \t]*@[\w.]*(route|get|post|put|patch|delete|whitelist)\b/m.test(file.text)) return []
  const mask = masked(file.text, hashes)
  const prefixes = new Map<string, Prefix>()
  /** Each router of a file is looked up once, however many routes it has. */
  const prefix = (name: string) => {
    const known = prefixes.get(name) ?? prefixOf(name, file, inclusions)
    prefixes.set(name, known)
    return known
  }
  return [...mask.matchAll(routeDecorator)].flatMap(match => {
    const decorated = readDecorated(match, file, mask)
    if (!decorated) return []
    return decorated.verb === 'whitelist' ? frappeMethod(decorated, file) : routesOf(decorated, prefix)
  })
}

const routeDecorator = /^[ \t]*@([\w.]*?)\.?(route|get|post|put|patch|delete|whitelist)\s*(\(|\n)/gm

/** A function with one of its route decorators: `@app.get('/x')`. */
interface Decorated {
  /** What the decorator is called on: `app`. */
  receiver: string
  verb: string
  args: string[]
  name: string
  body: string
  /** From this decorator to the function. */
  head: string
  /** All of its decorators. */
  before: string
  at: string
}

function readDecorated(match: RegExpExecArray, { path, text }: SourceFile, mask: string): Decorated | undefined {
  const [whole, receiver = '', verb = ''] = match
  const definition = /\bdef\s+(\w+)/g
  definition.lastIndex = match.index
  const found = definition.exec(mask)
  if (!found) return undefined
  return {
    receiver,
    verb,
    args: whole.endsWith('(') ? parts(text, mask, match.index + whole.length - 1) : [],
    name: found[1]!,
    body: indented(text, found.index),
    head: text.slice(match.index, found.index),
    before: text.slice(text.lastIndexOf('\n\n', match.index) + 1, found.index),
    at: `${path}:${lineAt(text, match.index + whole.search(/@/))}`,
  }
}

/** Frappe answers each function that is whitelisted, under the name of its module. */
function frappeMethod({ name, body, head, at }: Decorated, file: SourceFile): Route[] {
  const module = file.path.replace(/\.py$/, '').replaceAll('/', '.')
  const route = { handler: name, body, at, method: 'ANY', path: `/api/method/${module}.${name}` }
  const open = /allow_guest\s*=\s*True/.test(head)
  return [open ? { ...route, guards: [], open } : { ...route, guards: ['frappe session'] }]
}

/** What stands in front of all routes of a router. */
interface Prefix {
  path: string
  guards: string[]
}

function routesOf(decorated: Decorated, prefixOfRouter: (name: string) => Prefix): Route[] {
  const { receiver, args, head, name, body, at } = decorated
  const prefix = receiver ? prefixOfRouter(receiver.split('.')[0]!) : { path: '', guards: [] }
  const auth = head.match(/\bauth\s*=\s*["'](\w+)/)?.[1]
  const guards = [...prefix.guards, ...guardsOf(decorated, auth)]
  const open = auth !== undefined && /public|none/.test(auth)
  const methods = methodsOf(decorated, auth)
  return pathsIn(args[0]).flatMap(path =>
    methods.map(method => ({
      handler: name,
      body,
      at,
      method,
      path: joined(prefix.path, path),
      guards,
      ...(open && { open }),
    })),
  )
}

function pathsIn(argument: string | undefined): string[] {
  if (argument?.startsWith('[')) return literals(argument)
  const path = literal(argument?.replace(/^\w+\s*=\s*/, ''))
  return path === undefined ? [] : [path]
}

function methodsOf({ verb, head }: Decorated, auth: string | undefined): string[] {
  if (verb !== 'route') return [verb.toUpperCase()]
  const named = literals(head.match(/methods\s*=\s*([[(][^\])]*)/)?.[1] ?? '')
  if (named.length) return named
  return [auth ? 'ANY' : 'GET']
}

/** Guards by decorator, by dependency (FastAPI), and by the `auth` of Odoo. */
function guardsOf({ before, body }: Decorated, auth: string | undefined): string[] {
  const byDecorator = decorators(before).filter(
    it => /login|auth|permission|required|jwt|roles?\b/i.test(it) && !/^http\.route|\.route/.test(it),
  )
  const byDependency = [...body.slice(0, 1500).matchAll(userDependency)].map(it => it[1]!)
  const byOption = auth && auth !== 'public' && auth !== 'none' ? [`auth=${auth}`] : []
  return [...byDecorator, ...byDependency, ...byOption]
}

const userDependency = /Depends\(\s*([\w.]*(?:user|auth|current|login|admin|require)\w*)/gi

/** The prefix and the guards of a blueprint or an APIRouter, with those of where it is included. */
function prefixOf(name: string, file: SourceFile, inclusions: Inclusion[]): Prefix {
  const options = file.text.match(routerDefinition(name))?.[1] ?? ''
  const prefix = options.match(/(?:url_)?prefix\s*=\s*["']([^"']*)/)?.[1] ?? ''
  const guards = dependencies(options)
  const named = routerName(name, file.path)
  const included = inclusions.find(it => named.test(it.router))
  if (!included) return { path: prefix, guards }
  const outer = included.options.match(/prefix\s*=\s*["']([^"']*)/)?.[1] ?? ''
  return { path: `${outer}/${prefix}`, guards: [...guards, ...dependencies(included.options)] }
}

const dependencies = (options: string) => [...options.matchAll(/Depends\(\s*([\w.]+)/g)].map(it => it[1]!)

/** `bp = Blueprint(…)` */
const routerDefinition = (name: string) =>
  new RegExp(`\\b${name}\\s*=\\s*(?:\\w+\\.)?(?:Blueprint|APIRouter|Router)\\(([\\s\\S]*?)\\)\\s*\\n`)

/** What a router is called where it is included; one that is called `router` or `bp` is known by its module. */
function routerName(name: string, path: string): RegExp {
  const module = path.split('/').at(-1)!.replace(/\.py$/, '')
  const folder = path.split('/').at(-2) ?? ''
  const owner = `(?:[\\w.]*\\b(?:${module}|${folder})\\.)?`
  const router = name === 'router' || name === 'bp' ? `${module}\\w*|${module}\\.${name}` : name
  return new RegExp(`^${owner}(?:${router})\\b`)
}
