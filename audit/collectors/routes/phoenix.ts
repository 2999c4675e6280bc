import type { Route } from '../../model.ts'
import { hashes, indented, lineAt, masked } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routers of Phoenix: scopes, pipelines, resources and live views, with the actions of their controllers. */
export function phoenixRoutes(files: SourceFile[]): Route[] {
  const sources = files.filter(it => /\.exs?$/.test(it.path))
  const routers = sources.filter(it => /use\s+[\w.]+,\s*:router|use\s+Phoenix\.Router|use\s+Plug\.Router/.test(it.text))
  if (!routers.length) return []
  const modules = new Map<string, SourceFile>()
  for (const file of sources)
    for (const it of file.text.matchAll(/^\s*defmodule\s+([\w.]+)/gm))
      if (!modules.has(it[1]!)) modules.set(it[1]!, file)
  return routers.flatMap(it => routerRoutes(it, modules))
}

interface Scope {
  path: string
  alias: string
  guards: string[]
  indent: number
}

interface Router {
  file: SourceFile
  pipelines: Map<string, string[]>
  modules: Map<string, SourceFile>
}

function routerRoutes(file: SourceFile, modules: Map<string, SourceFile>): Route[] {
  const code = masked(file.text, hashes)
  const router: Router = { file, pipelines: pipelinesOf(file, modules), modules }
  const scopes: Scope[] = [{ path: '', alias: '', guards: [], indent: -1 }]
  const found: Route[] = []
  let position = 0
  for (const blank of code.split('\n')) {
    const line = file.text.slice(position, position + blank.length)
    const at = `${file.path}:${lineAt(file.text, position)}`
    const indent = line.search(/\S/)
    position += blank.length + 1
    if (indent === -1 || blank.trim() === '') continue
    while (scopes.length > 1 && indent <= scopes.at(-1)!.indent && !/^\s*(do|\|>)/.test(line)) scopes.pop()
    const whole = /[,(]\s*$/.test(blank) ? restOf(file.text, position - blank.length - 1) : line
    found.push(...statement(whole.trim(), { scopes, indent, at }, router))
  }
  return found
}

/** A statement that goes on in the next lines, up to its `do` or the first line that is complete. */
const restOf = (text: string, from: number) => text.slice(from, from + 400).match(/^[\s\S]*?[^,([]\s*(?=\n)/)?.[0] ?? ''

interface Place {
  scopes: Scope[]
  indent: number
  at: string
}

function statement(line: string, { scopes, indent, at }: Place, router: Router): Route[] {
  const scope = scopes.at(-1)!
  const through = line.match(/^pipe_through\s*\(?\s*(\[[^\]]*\]|:\w+)/)?.[1]
  if (through)
    scope.guards.push(...[...through.matchAll(/:(\w+)/g)].flatMap(it => router.pipelines.get(it[1]!) ?? named(it[1]!)))
  const opened = openedScope(line, scope, indent)
  if (opened) scopes.push(opened)
  const single = line.match(
    /^(get|post|put|patch|delete|live|match|forward)[\s(]+(?::\*\s*,\s*)?"([^"]*)"\s*,\s*([\w.]+)(?:\s*,\s*:(\w+))?/,
  )
  if (single)
    return [
      routeOf(
        single[1]!,
        `${scope.path}/${single[2]}`,
        { module: single[3]!, action: single[4] ?? '' },
        { scope, at },
        router,
      ),
    ]
  const resources = line.match(/^resources[\s(]+"([^"]*)"\s*,\s*([\w.]+)(.*)$/s)
  return resources ? resourceRoutes(resources, { scope, at }, router) : []
}

/** A scope, the block of `resources … do`, or a session of live views with what it asks at mounting. */
function openedScope(line: string, outer: Scope, indent: number): Scope | undefined {
  if (!/\bdo\s*$/.test(line)) return undefined
  const scope = line.match(/^scope[\s(]+(?:"([^"]*)")?/)
  if (scope) {
    const alias = line.match(/,\s*(?:as:.*|alias:\s*)?([A-Z][\w.]*)/)?.[1] ?? line.match(/^scope\s+([A-Z][\w.]*)/)?.[1]
    const path = scope[1] ?? line.match(/path:\s*"([^"]*)"/)?.[1] ?? ''
    return {
      path: `${outer.path}/${path}`,
      alias: [outer.alias, alias].filter(Boolean).join('.'),
      guards: [...outer.guards],
      indent,
    }
  }
  const resources = line.match(/^resources[\s(]+"([^"]*)"/)?.[1]
  if (resources)
    return {
      ...outer,
      path: `${outer.path}/${resources}/:${resources.replace(/^\/|s$/g, '')}_id`,
      guards: [...outer.guards],
      indent,
    }
  if (!/^live_session\b/.test(line)) return undefined
  const asked = [...line.matchAll(/:(\w*(?:ensure|require|auth)\w*)/g)]
    .map(it => it[1]!)
    .filter(it => !/redirect|if_user/.test(it))
  return { ...outer, guards: [...outer.guards, ...asked], indent }
}

interface Target {
  module: string
  action: string
}

function routeOf(
  verb: string,
  path: string,
  { module, action }: Target,
  { scope, at }: { scope: Scope; at: string },
  { modules }: Router,
): Route {
  const name = [scope.alias, module].filter(Boolean).join('.')
  const file = modules.get(name) ?? modules.get(module)
  const live = verb === 'live'
  const body = file ? (live ? moduleText(file, module) : functionText(file, action)) : ''
  return {
    method: live ? 'GET' : verb === 'match' || verb === 'forward' ? 'ANY' : verb.toUpperCase(),
    path: joined(path),
    guards: [...new Set([...scope.guards, ...(file ? ownPlugs(file, action) : [])])],
    handler: live ? module : `${module}.${action}`,
    body,
    at,
  }
}

function resourceRoutes(
  [, path = '', module = '', options = '']: RegExpMatchArray,
  place: { scope: Scope; at: string },
  router: Router,
): Route[] {
  const only = options.match(/only:\s*\[([^\]]*)\]/)?.[1]
  const except = options.match(/except:\s*\[([^\]]*)\]/)?.[1]
  const single = /singleton:\s*true/.test(options)
  const base = `${place.scope.path}/${path}`
  const member = single ? base : `${base}/:id`
  const usual: [string, string, string][] = [
    ['get', base, 'index'],
    ['get', `${base}/new`, 'new'],
    ['post', base, 'create'],
    ['get', member, 'show'],
    ['get', `${member}/edit`, 'edit'],
    ['patch', member, 'update'],
    ['delete', member, 'delete'],
  ]
  const named = (list: string, action: string) => new RegExp(`:${action}\\b`).test(list)
  return usual
    .filter(([, , action]) => (only ? named(only, action) : !(except && named(except, action))))
    .filter(([, , action]) => !(single && action === 'index'))
    .map(([verb, address, action]) => routeOf(verb, address, { module, action }, place, router))
}

const plumbing =
  /^(fetch_|put_|protect_from|accepts|assign_|set_|load_|redirect_if|parse|Plug\.|maybe_|track|store_|cors|CORS|no_)/i

/** What asks who is there in each pipeline. */
function pipelinesOf({ text }: SourceFile, modules: Map<string, SourceFile>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { index, 1: name = '' } of text.matchAll(/^[ \t]*pipeline[\s(]+:(\w+)\)?\s+do/gm)) {
    const plugs = [...block(text, index).matchAll(/^\s*plug[\s(]+:?([\w.]+)/gm)].map(it => it[1]!)
    found.set(
      name,
      plugs.filter(it => !plumbing.test(it) && asks(it, text, modules)),
    )
  }
  return found
}

/** A plug turns somebody away: by its text where it is found, else by its name. */
function asks(name: string, routerText: string, modules: Map<string, SourceFile>): boolean {
  const short = name.split('.').at(-1)!
  const file = [...modules].find(([key]) => key === name || key.endsWith(`.${short}`))?.[1]
  const own = routerText.match(new RegExp(`^[ \\t]*defp?\\s+${short}\\b`, 'm'))
  const text = own?.index === undefined ? file?.text : block(routerText, own.index)
  if (text && !/halt|40[13]|unauthori|forbidden|redirect/i.test(text)) return false
  return (
    /require|ensure|auth|user|login|session|token|admin|guardian|client|customer|contact/i.test(name) ||
    (text !== undefined && /halt/.test(text))
  )
}

const named = (pipeline: string) =>
  /auth|require|ensure|protected|admin|private|logged/i.test(pipeline) && !/un_?auth|no_?auth/i.test(pipeline)
    ? [pipeline]
    : []

/** A controller's own plugs for an action. */
const ownPlugs = ({ text }: SourceFile, action: string): string[] =>
  [...text.matchAll(/^\s*plug[\s(]+:?([\w.]+)([^\n]*)/gm)]
    .filter(it => /require|ensure|auth|login|verify|permission/i.test(it[1]!) && !plumbing.test(it[1]!))
    .filter(it => {
      const listed = it[2]!.match(/action\s+(not\s+)?in\s+\[([^\]]*)\]/)
      return !listed || new RegExp(`:${action}\\b`).test(listed[2]!) === !listed[1]
    })
    .map(it => it[1]!)

/** From a line to the `end` of its depth. */
function block(text: string, index: number): string {
  const start = text.slice(index).search(/\S/) + index
  const depth = text.slice(text.lastIndexOf('\n', start) + 1, start)
  const end = text.indexOf(`\n${depth}end`, start)
  return end === -1 ? indented(text, start) : text.slice(start, end)
}

/** All clauses of a function. */
function functionText({ text }: SourceFile, name: string): string {
  const clauses = [...text.matchAll(new RegExp(`^[ \\t]*def\\s+${name}\\b`, 'gm'))].map(it => block(text, it.index))
  const called = new Set([...clauses.join('\n').matchAll(/\b(\w+)\(/g)].map(it => it[1]!))
  const helpers = [...text.matchAll(/^[ \t]*defp\s+(\w+)/gm)].filter(it => called.has(it[1]!)).slice(0, 6)
  return [...clauses, ...helpers.map(it => block(text, it.index))].join('\n').slice(0, 40_000)
}

const moduleText = ({ text }: SourceFile, module: string) => {
  const start = text.search(new RegExp(`defmodule\\s+[\\w.]*\\b${module.split('.').at(-1)}\\b`))
  return text.slice(Math.max(start, 0)).slice(0, 40_000)
}
