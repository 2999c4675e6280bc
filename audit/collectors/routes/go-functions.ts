import { closing, lineAt, masked } from '../text.ts'
import type { SourceFile } from '../tree.ts'

/** A function or method of Go. */
export interface GoFunction {
  name: string
  /** The name and the type that it is called on. */
  receiver: string
  type: string
  file: SourceFile
  line: number
  text: string
  mask: string
  /** The name of the parameter that is a router. */
  routerParameter: string | undefined
}

/** The functions of a tree by their names. */
export interface GoSource {
  functions: GoFunction[]
  named(name: string, on: string): GoFunction[]
  handler(source: string, from: GoFunction): { name: string; text: string }
  guard(source: string, from: GoFunction): string | undefined
}

const definition = /^func\s+(?:\(\s*(\w+)\s+\*?(\w+)(?:\[[^\]]*\])?\s*\)\s*)?(\w+)(?:\[[^\]]*\])?\(/gm
const routerType =
  /(\w+)\s+\*?(?:gin\.(?:RouterGroup|Engine|IRouter|IRoutes)|echo\.(?:Group|Echo)|chi\.(?:Router|Mux)|fiber\.(?:Router|App|Group)|mux\.Router|http\.ServeMux|iris\.Party|httprouter\.Router)\b/

export function goSources(files: SourceFile[]): GoSource {
  const functions = files.filter(it => it.path.endsWith('.go')).flatMap(functionsIn)
  const byName = Map.groupBy(functions, it => it.name)
  const found = (name: string, on: string, from?: GoFunction) => best(byName.get(name) ?? [], on, from)
  return {
    functions,
    named: (name, on) => candidates(byName.get(name) ?? [], on),
    handler(source, from) {
      const inline = source.search(/\bfunc\s*\(/)
      if (inline !== -1 && inline < 40) return { name: 'inline', text: withCalled(source.slice(inline), from, byName) }
      const named = innermost(source)
      const parts = named.split('.')
      const it = found(parts.at(-1)!, parts.slice(0, -1).join('.'), from)
      const name = it?.type ? `${it.type}.${it.name}` : named
      return { name, text: it ? withCalled(it.text, it, byName) : '' }
    },
    guard: (source, from) => guardOf(source, from, found),
  }
}

function functionsIn(file: SourceFile): GoFunction[] {
  const mask = masked(file.text)
  return [...mask.matchAll(definition)].flatMap(match => {
    const bracket = match.index + match[0].length - 1
    const parameters = file.text.slice(bracket + 1, closing(mask, bracket))
    const open = mask.indexOf('{', closing(mask, bracket))
    const next = mask.indexOf('\nfunc ', bracket)
    if (open === -1 || (next !== -1 && open > next)) return []
    const end = closing(mask, open) + 1
    return [
      {
        name: match[3]!,
        receiver: match[1] ?? '',
        type: match[2] ?? '',
        file,
        line: lineAt(file.text, match.index),
        text: file.text.slice(match.index, end),
        mask: mask.slice(match.index, end),
        routerParameter: parameters.match(routerType)?.[1],
      },
    ]
  })
}

/** `auth(h.List)`, `http.HandlerFunc(h.List)`: the handler inside of what is wrapped around it. */
function innermost(source: string): string {
  const names = [...source.matchAll(/[A-Za-z_]\w*(?:\.\w+)*(?!\w*\s*\()/g)].map(it => it[0])
  const inner = [...source.matchAll(/([A-Za-z_]\w*(?:\.\w+)*)\s*(?=[,)]|$)/g)].map(it => it[1]!)
  return inner.find(it => it.includes('.')) ?? inner[0] ?? names[0] ?? source.slice(0, 60)
}

const words = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(it => it.length > 2)

/** The functions of that name whose type or file the name before the dot fits; all where it fits none. */
function candidates(functions: GoFunction[], on: string): GoFunction[] {
  const asked = words(on)
  const fitting = functions.filter(it =>
    words(`${it.type} ${it.file.path.split('/').slice(-2).join(' ')}`).some(one => asked.includes(one)),
  )
  return fitting.length && asked.length ? fitting : functions
}

function best(functions: GoFunction[], on: string, from: GoFunction | undefined): GoFunction | undefined {
  const own = from?.receiver && on === from.receiver ? functions.find(it => it.type === from.type) : undefined
  const folder = from?.file.path.replace(/[^/]*$/, '')
  const near = functions.filter(it => it.file.path.startsWith(folder ?? '\n'))
  return own ?? candidates(near, on)[0] ?? candidates(functions, on)[0]
}

/** A handler with the functions of its own package that it calls. */
function withCalled(text: string, from: GoFunction, byName: Map<string, GoFunction[]>): string {
  const folder = from.file.path.replace(/[^/]*$/, '')
  const called = new Set([...text.matchAll(/\b(\w+)\(/g)].map(it => it[1]!))
  const helpers = [...called]
    .flatMap(it => (byName.get(it) ?? []).filter(one => one.file.path.replace(/[^/]*$/, '') === folder).slice(0, 1))
    .filter(it => it.text !== text && it.text.length < 4000)
  return [text, ...helpers.slice(0, 6).map(it => it.text)].join('\n').slice(0, 40_000)
}

const plumbing =
  /recover|logger|logging|requestid|request_id|realip|cors|compress|gzip|timeout|throttle|ratelimit|limiter|heartbeat|metrics|tracing|stripslashes|cleanpath|nocache|secure\b|static|contenttype|setheader|localiz|provide|csrf/i
const turnsAway =
  /StatusUnauthorized|StatusForbidden|StatusNotFound|StatusSeeOther|StatusFound|\b40[13]\b|Abort|Redirect|Unauthorized|Forbidden|ErrUnauthorized|ErrForbidden/
const ofClients =
  /(?:client|customer|contact|portal)_?(?:ID|User|Session|Claims|Token)|Get(?:Client|Customer|Contact|Portal)/i

/** What stands in front of handlers, by its name and by what its function does. */
function guardOf(
  source: string,
  from: GoFunction,
  find: (name: string, on: string, from?: GoFunction) => GoFunction | undefined,
): string | undefined {
  const named = source.match(/^[\w.]+/)?.[0] ?? ''
  const short = named.split('.').at(-1)!
  if (!named || plumbing.test(short) || /^(http\.(HandlerFunc|StripPrefix|FileServer)|func)$/.test(named))
    return undefined
  const found = find(short, named.split('.').slice(0, -1).join('.'), from)
  const saysSo =
    /auth|login|session|user|admin|staff|permission|role|jwt|require|guard|protect|client|customer|portal|token|verif|ensure/i.test(
      short,
    )
  if (!found) return saysSo ? named : undefined
  if (!turnsAway.test(found.text)) return undefined
  return ofClients.test(found.text) && !/client|customer|portal|contact/i.test(named)
    ? `${named} (client session)`
    : named
}
