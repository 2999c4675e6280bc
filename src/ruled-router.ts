import { type RequestHandler, Router } from 'express'
import type { Rule } from './section.ts'

/** A router for a plugin's routes. Throws a TypeError for one whose first handler is no rule: who may must be said. */
export function ruledRouter(plugin: string, at: string[]): Router {
  const router = Object.assign(Router(), { at })
  for (const method of ['all', 'delete', 'get', 'patch', 'post', 'put'] as const) {
    const add = router[method].bind(router) as (...of: unknown[]) => Router
    const ruled = (path: string, ...handlers: RequestHandler[]) => {
      if ((handlers[0] as Partial<Rule> | undefined)?.rule) return add(path, ...handlers)
      throw new TypeError(
        `createPortal: plugin ${plugin}: the route ${method.toUpperCase()} ${path} must say who may, such as may('${plugin}.see') or admins, right after its path.`,
      )
    }
    router[method] = ruled as never
  }
  return router
}
