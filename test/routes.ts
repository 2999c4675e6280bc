import type { Router } from 'express'
import type { Method } from './visit.ts'

export interface Route {
  method: Method
  path: string
  rule: string | undefined
}

/** Every route of a router and of those mounted in it, with its rule. A mounted router says where it is by `at`. */
export function routesOf(router: Router, base = ''): Route[] {
  return router.stack.flatMap((layer: any) => {
    const { route, handle } = layer
    if (route) {
      const rule = route.stack[0].handle.rule
      const methods = Object.keys(route.methods) as Method[]
      return methods.map(method => ({ method, path: base + (route.path === '/' && base ? '' : route.path), rule }))
    }
    if (!handle.stack) return []
    return [handle.at ?? ''].flat().flatMap((at: string) => routesOf(handle, base + at))
  })
}
