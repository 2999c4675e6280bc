import type { RequestHandler, Router } from 'express'
import { widened } from '../http/headers.ts'
import type { Rule } from '../http/rules.ts'
import type { Section } from './plugin.ts'

/** What is mounted in a router: a route with its handlers, or something else that was given to `use`. */
interface Layer {
  route?: { path: string; stack: { handle: Partial<Rule> }[] }
  handle?: object
}

/**
 * Checks that every route of a plugin begins with a rule. Throws a TypeError that names the route. Nested routers and
 * `use` are refused, because their routes cannot be checked.
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

/**
 * Public routes are open to everybody: rules that need an account cannot be used there. Routes of a router marked
 * `forGuests` have the rules of their section. Throws a TypeError that names the route.
 */
export function requirePublicRules(plugin: Section, router: Router) {
  const forGuests = 'forGuests' in router
  for (const { route, handle } of router.stack as unknown as Layer[]) {
    const rule = route?.stack[0]?.handle.rule
    if (rule && rule !== 'anybody' && !forGuests)
      throw new TypeError(`createPortal: plugin ${plugin.name}: the public route ${route.path} must be for anybody.`)
    if (route && !rule)
      throw new TypeError(
        `createPortal: plugin ${plugin.name}: the route ${route.path} must say who may, right after its path.`,
      )
    if (!route && handle && 'stack' in handle) requirePublicRules(plugin, handle as Router)
  }
}

/** Rules that routes of a plugin may begin with, beside its own permissions. */
export const clientRules = ['member', 'client admin', 'anybody']

/** Pages of a plugin that load something from elsewhere say so in their policy. */
export const widening = ({ csp }: Section): RequestHandler[] => (csp ? [widened(csp)] : [])
