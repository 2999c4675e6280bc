import { entities } from '../lexicon.ts'
import type { Route } from '../model.ts'
import { either } from '../patterns.ts'
import { joined } from './routes/paths.ts'

type Handle = (...args: never[]) => unknown

/** The parts of a layer of Express 4 and 5 that are read. */
interface Layer {
  name: string
  handle: Handle & { stack?: Layer[] }
  route?: { path: string | string[]; stack: { method?: string; name: string; handle: Handle }[] }
  regexp?: RegExp & { fast_slash?: boolean }
  keys?: { name: string }[]
  slash?: boolean
  rawPath?: unknown
  matchers?: ((path: string) => false | { path: string })[]
}

/** The routes of a running Express 4 or 5 app, from its router stack. `known` are addresses that help to name its mounts. */
export function readExpressApp(app: unknown, known: string[] = []): Route[] {
  const { router, _router } = app as { router?: { stack?: Layer[] }; _router?: { stack?: Layer[] } }
  const stack = _router?.stack ?? router?.stack
  if (!stack) throw new Error('This is no Express app: it has no router.')
  return walk(stack, '', [], candidates(known))
}

function walk(stack: Layer[], prefix: string, outer: string[], names: string[]): Route[] {
  const found: Route[] = []
  const guards = [...outer]
  let place = ''
  let before: string[] = []
  for (const layer of stack) {
    if (layer.route) found.push(...routesOf(layer.route, prefix, guards))
    else if (layer.handle.stack) {
      // Guards that are mounted at the very address of a router stand before it.
      const path = mountOf(layer, names)
      found.push(
        ...walk(layer.handle.stack, `${prefix}/${path}`, path === place ? [...guards, ...before] : guards, names),
      )
    } else if (!neutralMiddleware.test(layer.name)) {
      const path = mountOf(layer, names)
      if (path === '') guards.push(layer.name)
      else if (path === place) before.push(layer.name)
      else {
        place = path
        before = [layer.name]
      }
    }
  }
  return found
}

const expressMiddleware = 'query|expressInit|<anonymous>|anonymous|jsonParser|urlencodedParser|cookieParser|serveStatic'
const commonMiddleware = either('corsMiddleware helmetMiddleware compression logger session initialize authenticate')
/** Middleware that guards nothing. */
const neutralMiddleware = new RegExp(`^(${expressMiddleware}|${commonMiddleware.source}|)$`)

function routesOf({ path, stack }: NonNullable<Layer['route']>, prefix: string, guards: string[]): Route[] {
  const methods = Map.groupBy(stack, it => it.method ?? 'any')
  return [...methods].flatMap(([method, layers]) =>
    [path].flat().map(one => ({
      method: method.toUpperCase(),
      path: joined(prefix, String(one)),
      guards: [...guards, ...layers.slice(0, -1).map(it => it.name)],
      handler: layers.at(-1)!.name,
      body: Function.prototype.toString.call(layers.at(-1)!.handle),
      at: `${method.toUpperCase()} ${joined(prefix, String(one))}`,
    })),
  )
}

/** Express 4 keeps a pattern, which is read back; Express 5 keeps the address, or before 5.3 only a matcher to be tried. */
function mountOf(layer: Layer, names: string[]): string {
  if (layer.regexp) {
    if (layer.regexp.fast_slash) return ''
    let key = 0
    return layer.regexp.source
      .replace(/^\^/, '')
      .replace(/\\\/\?\(\?=\\\/\|\$\)$/, '')
      .replace(
        /\(\?:\\\/\(\[\^\\?\/\]\+\?\)\)|\(\?:\(\[\^\\?\/\]\+\?\)\)/g,
        it => `${it.includes('\\/(') ? '/' : ''}:${layer.keys?.[key++]?.name ?? 'id'}`,
      )
      .replace(/\\(.)/g, '$1')
      .replace(/^\//, '')
  }
  if (layer.slash) return ''
  const rawPath = [layer.rawPath].flat()[0]
  if (typeof rawPath === 'string') return rawPath.replace(/^\//, '')
  const fits = (name: string) => layer.matchers?.some(it => (it(`/${name}`) || { path: '' }).path === `/${name}`)
  return layer.matchers ? (names.find(fits) ?? 'unknown') : ''
}

function candidates(known: string[]): string[] {
  const prefixes = known.flatMap(it =>
    it
      .split('/')
      .filter(Boolean)
      .map((_, index, parts) => parts.slice(0, index + 1).join('/')),
  )
  const words = Object.values(entities)
    .flatMap(it => it.split(' '))
    .flatMap(it => [it, `${it}s`, it.replace(/y$/, 'ies')])
  const common = [
    ...words,
    'api',
    'portal',
    'client-portal',
    'customer-portal',
    'guest',
    'public',
    'settings',
    'admin',
    'auth',
    'dashboard',
    'reports',
    'settings/client-portal',
  ]
  return [
    ...new Set([
      ...prefixes,
      ...common,
      ...common.flatMap(it => [`api/${it}`, `api/v1/${it}`, `public/${it}`, `portal/${it}`]),
    ]),
  ]
}
