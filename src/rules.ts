import type { Router } from 'express'
import type { Rule, Section } from './section.ts'

/** What is mounted in a router: a route with its handlers, or something else that was given to `use`. */
interface Layer {
  route?: { path: string; stack: { handle: Partial<Rule> }[] }
}

/**
 * Looks at every route of a plugin: each must begin with a rule that says who may. Throws a TypeError that names the
 * route. Nested routers and `use` are refused, since nothing could be said of what is in them.
 */
export function requireRules({ name }: Section, router: Router, rules: readonly string[]) {
  for (const { route } of router.stack as unknown as Layer[]) {
    if (!route)
      throw new TypeError(`createPortal: plugin ${name}: routes are added with get, post and the like, not with use.`)
    const rule = route.stack[0]?.handle.rule
    if (rule && rules.includes(rule)) continue
    throw new TypeError(
      `createPortal: plugin ${name}: the route ${route.path} must say who may, right after its path: ${rules.join(', ')}.`,
    )
  }
}

/** Rules that routes of a plugin may begin with, beside its own permissions. */
export const clientRules = ['member', 'client admin', 'anybody']
