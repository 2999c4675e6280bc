import type { Route } from '../../model.ts'
import type { Classes } from '../classes.ts'
import { closing, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { matching } from './guards.ts'
import { joined } from './paths.ts'
import { guardIn } from './php-files.ts'

interface Group {
  prefix: string
  guards: string[]
  controller?: string
}

/** Routes of Laravel, Lumen and Slim: groups, prefixes, middleware, resources, the prefixes that a provider adds. */
export function laravelRoutes(files: SourceFile[], classes: Classes): Route[] {
  const providers = files.filter(
    it => /base_path\(|__DIR__/.test(it.text) && /->group\(|::group\(|loadRoutesFrom/.test(it.text),
  )
  const exceptions = files.flatMap(it => exceptionsIn(it, files))
  return files
    .filter(
      it =>
        it.path.endsWith('.php') &&
        /\bRoute::|\$(app|router|group|r)->(get|post|group|map)\(/.test(it.text) &&
        !/ServiceProvider/.test(it.path),
    )
    .flatMap(file => statements(file, masked(file.text), 0, file.text.length, rootOf(file, providers), classes))
    .map(it => exempted(it, exceptions))
}

/** A middleware with the addresses that it does not ask at. */
interface Exception {
  names: Set<string>
  lets(path: string): boolean
}

/** `protected $except = ['portal/*']` of a middleware that asks who is there, and the names that it has in routes. */
function exceptionsIn({ path, text }: SourceFile, files: SourceFile[]): Exception[] {
  const list = path.endsWith('.php')
    ? text.match(/\$(?:except|open|public|guest)\w*\s*=\s*(?:\[|array\()([^\])]*)/i)?.[1]
    : undefined
  const name = text.match(/class\s+(\w+)/)?.[1]
  if (!list || !name || /csrf|TrimStrings|EncryptCookies|Maintenance|Exceptions?\\Handler/i.test(name + path)) return []
  if (!/auth|login|401|403|redirect|session/i.test(text)) return []
  const alias = new RegExp(`['"]([\\w.]+)['"]\\s*=>\\s*[\\w\\\\]*\\b${name}::class`)
  const aliases = files.flatMap(it =>
    /[kK]ernel|bootstrap\/app/.test(it.path) ? (it.text.match(alias)?.[1] ?? []) : [],
  )
  const open = literals(list).map(it => matching(joined(it)))
  return [{ names: new Set([name, ...aliases]), lets: one => open.some(it => it(one)) }]
}

function exempted(route: Route, exceptions: Exception[]): Route {
  const guards = route.guards.filter(
    it => !exceptions.some(one => one.names.has(it.split(':')[0]!) && one.lets(route.path)),
  )
  const open = guards.length === 0 && route.guards.length > 0
  return open ? { ...route, guards, open } : { ...route, guards }
}

/** The prefix and the middleware of the provider that loads a routes file. */
function rootOf(file: SourceFile, providers: SourceFile[]): Group {
  const name = file.path.split('/').slice(-2).join('/')
  for (const { text } of providers) {
    const place = [name, `/${name.split('/').at(-1)}`].map(it => text.indexOf(it)).find(it => it > 0)
    if (place === undefined) continue
    const chain = text.slice(Math.max(text.lastIndexOf(';', place), text.lastIndexOf('{\n', place), 0), place)
    const prefix = chain.match(/prefix\(\s*['"]([^'"]*)/)?.[1] ?? ''
    const guards = [...chain.matchAll(/middleware\(([^)]*)\)/g)].flatMap(it => literals(it[1]!))
    return { prefix, guards: guards.filter(it => it !== 'web' && it !== 'api') }
  }
  return { prefix: /(^|\/)routes\/api\.php$/.test(file.path) ? 'api' : '', guards: [] }
}

function statements(file: SourceFile, mask: string, from: number, to: number, group: Group, classes: Classes): Route[] {
  const found: Route[] = []
  const start =
    /\bRoute::|\$(?:app|router|group|r|this)->(?=(?:get|post|put|patch|delete|any|match|group|map|resource)\()/g
  start.lastIndex = from
  for (let match = start.exec(mask); match && match.index < to; match = start.exec(mask)) {
    const chain = chainAt(file.text, mask, match.index)
    start.lastIndex = chain.end
    found.push(...interpret(file, mask, chain, group, classes))
  }
  return found
}

interface Step {
  name: string
  args: string[]
  open: number
}

/** `Route::a(…)->b(…)->c(…)` as steps. */
function chainAt(text: string, mask: string, start: number) {
  const steps: Step[] = []
  let at = mask.indexOf(mask.startsWith('Route', start) ? '::' : '->', start)
  while (/^(::|->)/.test(mask.slice(at, at + 2))) {
    const name = mask.slice(at + 2).match(/^\s*(\w+)\s*\(/)
    if (!name) break
    const open = at + 2 + name[0].length - 1
    steps.push({ name: name[1]!, args: parts(text, mask, open), open })
    at = closing(mask, open) + 1
    at += mask.slice(at).match(/^\s*/)![0].length
  }
  return { steps, start, end: Math.max(at, start + 7) }
}

function interpret(
  file: SourceFile,
  mask: string,
  { steps, start }: ReturnType<typeof chainAt>,
  outer: Group,
  classes: Classes,
): Route[] {
  const stepsNamed = (name: string) => steps.filter(it => it.name === name)
  const group: Group = {
    prefix: [outer.prefix, ...stepsNamed('prefix').map(it => literal(it.args[0]) ?? '')].join('/'),
    guards: [
      ...outer.guards,
      ...stepsNamed('middleware').flatMap(it => literals(it.args.join(',')).concat(classNames(it.args.join(',')))),
    ],
    ...(outer.controller && { controller: outer.controller }),
  }
  for (const it of stepsNamed('withoutMiddleware'))
    group.guards = group.guards.filter(one => !it.args.join().includes(one))
  const controller = stepsNamed('controller')[0]?.args[0]
  if (controller) group.controller = className(controller)!
  const nested = steps.find(it => it.name === 'group')
  if (nested) {
    const options = nested.args.length > 1 ? nested.args[0]! : ''
    const prefix = literal(options) ?? options.match(/['"]prefix['"]\s*=>\s*['"]([^'"]*)/)?.[1] ?? ''
    const guards = options.match(/['"]middleware['"]\s*=>\s*(\[[^\]]*\]|['"][^'"]*['"])/)?.[1] ?? ''
    const inner = { ...group, prefix: `${group.prefix}/${prefix}`, guards: [...group.guards, ...literals(guards)] }
    return statements(file, mask, nested.open + 1, closing(mask, nested.open), inner, classes)
  }
  const at = `${file.path}:${lineAt(file.text, start)}`
  return steps.flatMap(step => routesOf(step, group, at, file, classes))
}

function routesOf(
  { name, args }: Step,
  { prefix, guards, controller }: Group,
  at: string,
  file: SourceFile,
  classes: Classes,
): Route[] {
  const route = (method: string, path: string, action: string, verb?: string): Route => {
    const own = ownMethod(args, file, classes)
    const handler = verb ? { controller: className(action), method: verb } : actionOf(action, controller)
    const resolved = handler.controller ? resolveClass(handler.controller, action, file) : undefined
    const found = own?.found ?? (resolved && classes.find(resolved.name, resolved.place))
    const called = own?.method ?? handler.method
    const actionText = found?.method(called)?.text
    const inside = (found?.method('__construct')?.text ?? '').match(/middleware\(([^)]*)\)/g)?.flatMap(literals) ?? []
    return {
      method,
      path: joined(prefix, path),
      guards: [...guards, ...inside, ...(own ? guardIn(actionText ?? '') : [])],
      handler: found ? `${found.file.path.replace(/\.php$/, '')}::${called}` : (handler.controller ?? 'inline'),
      body: actionText ?? (/^(static\s+)?(function|fn)\b/.test(action) ? action : ''),
      at,
    }
  }
  const path = literal(args[0])
  if (path === undefined) {
    if (name === 'match' || name === 'map') {
      const second = literal(args[1])
      return second === undefined ? [] : literals(args[0]!).map(it => route(it.toUpperCase(), second, args[2] ?? ''))
    }
    return []
  }
  if (/^(get|post|put|patch|delete|any|view|options)$/.test(name))
    return [route(name === 'view' ? 'GET' : name.toUpperCase(), path, args[1] ?? '')]
  if (/^(resource|apiResource|singleton)$/.test(name)) {
    const one = `${path}/{id}`
    const all = [
      route('GET', path, args[1] ?? '', 'index'),
      route('POST', path, args[1] ?? '', 'store'),
      route('GET', one, args[1] ?? '', 'show'),
      route('PUT', one, args[1] ?? '', 'update'),
      route('DELETE', one, args[1] ?? '', 'destroy'),
    ]
    // Of a controller that is known, only what it has is there.
    return all.some(it => it.body) ? all.filter(it => it.body) : all
  }
  return []
}

/** `$app->get('/invoice', 'list', …, static::class)`: a controller that registers its own methods. */
function ownMethod(args: string[], file: SourceFile, classes: Classes) {
  const method = literal(args[1])
  if (!method || !args.slice(2).some(it => /^(static|self)::class$|^get_class\(\$this\)$/.test(it))) return undefined
  const found = classes.all().find(it => it.file === file && it.method(method))
  return found && { found, method }
}

function actionOf(action: string, controller: string | undefined): { controller: string | undefined; method: string } {
  const text = literal(action)
  if (text?.includes('@')) return { controller: text.split('@')[0]!.split('\\').at(-1)!, method: text.split('@')[1]! }
  if (text?.includes(':'))
    return { controller: text.split(':')[0]!.split('\\').at(-1)!, method: text.split(':').at(-1)! }
  if (text !== undefined && controller) return { controller, method: text }
  const method = literals(action).at(-1)
  return { controller: className(action), method: action.startsWith('[') && method ? method : '__invoke' }
}

const className = (source: string) =>
  source
    .match(/([\w\\]+)::class/)?.[1]
    ?.split('\\')
    .at(-1) ?? literal(source)?.split('\\').at(-1)
const classNames = (source: string) => [...source.matchAll(/([\w\\]+)::class/g)].map(it => it[1]!.split('\\').at(-1)!)

/** The class that a name stands for, and its path, by the namespace in the action or in a `use`. */
function resolveClass(name: string, action: string, file: SourceFile): { name: string; place: string } {
  const alias = file.text.match(new RegExp(`^use\\s+([\\w\\\\]+)\\s+as\\s+${name};`, 'm'))?.[1]
  const own = file.text.match(new RegExp(`^use\\s+([\\w\\\\]*\\\\${name});`, 'm'))?.[1]
  const named = action.match(new RegExp(`([\\w\\\\]+\\\\${name})\\b`))?.[1] ?? alias ?? own
  const place = named?.replaceAll('\\', '/') ?? `app/Http/Controllers/${name}`
  return { name: named?.split('\\').at(-1) ?? name, place }
}
