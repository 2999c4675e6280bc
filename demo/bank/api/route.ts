import type { Core } from '../core.ts'
import { noSuch } from '../errors.ts'
import { hash, list, type Rule, text, type Values } from '../params.ts'

export interface Call<P> {
  core: Core
  params: P
  /** The segment of the path that names an object. */
  id: string
  /** Of the API, as the request names it: '2026-10-28.endive'. */
  version: string
}

/** An endpoint of the API. `work` is done at once: two requests never see each other half done. */
export interface Route {
  method: 'get' | 'post' | 'delete'
  path: string
  params: Rule<{ expand?: string[] }>
  work(call: Call<never>): object
}

/** Describes an endpoint: its parameters beside `expand`, and what it does. */
export function route<R extends Record<string, Rule<unknown>>>(
  method: Route['method'],
  path: string,
  rules: R,
  work: (call: Call<Values<R>>) => object,
): Route {
  const params = hash({ ...rules, expand: list(text()) }) as Route['params']
  return { method, path, params, work: work as Route['work'] }
}

/** The object of that id, or 404. `param` is what Stripe calls the id in its error. */
export function get<T>(table: Record<string, T>, id: string, what: string, param = 'id', status = 404): T {
  const found = Object.hasOwn(table, id) ? table[id] : undefined
  if (found === undefined) throw noSuch(what, id, param, status)
  return found
}
