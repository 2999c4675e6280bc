import { type RequestHandler, Router } from 'express'
import { NotFound } from '../http/errors.ts'
import { admins, anyMember } from './permissions.ts'
import type { Host, Section } from './plugin.ts'
import { clientRules, requirePublicRules, requireRules, widening } from './routes.ts'

/** Mounts a plugin's pages and API for signed-in users who have the section. */
export function mountClientRoutes(parent: Router, plugin: Section, host: Host, known: RequestHandler) {
  const at = [`/${plugin.name}`, `/api/v1/${plugin.name}`]
  const routes = Object.assign(Router(), { at })
  plugin.routes(routes, host)
  requireRules(plugin, routes, [...Object.keys(plugin.permissions), ...clientRules])
  mountKeptRoutes(parent, plugin, host, known)
  parent.use(at, known, offered(plugin), ...widening(plugin), routes)
}

/** What people see of what they did, whether they have the section or not. Tokens of programs have their scopes alone. */
function mountKeptRoutes(parent: Router, plugin: Section, host: Host, known: RequestHandler) {
  if (!plugin.kept) return
  const at = `/${plugin.name}`
  const routes = Object.assign(Router(), { at })
  plugin.kept(routes, host)
  requireRules(plugin, routes, [anyMember.rule])
  parent.use(at, known, ...widening(plugin), routes)
}

/** What a person sets up for themselves. */
export function mountAccountRoutes(parent: Router, plugin: Section, host: Host) {
  const { account, name } = plugin
  if (!account) return
  const at = `/account/${account.path ?? name}`
  const routes = Object.assign(Router(), { at })
  account.routes(routes, host)
  requireRules(plugin, routes, clientRules)
  parent.use(at, ...widening(plugin), routes)
}

/** What is there without an account. */
export function mountPublicRoutes(parent: Router, plugin: Section, host: Host) {
  const { public: open } = plugin
  if (!open) return
  const at = `/${open.path}`
  const routes = Object.assign(Router(), { at })
  open.routes(routes, host)
  requirePublicRules(plugin, routes)
  parent.use(at, ...widening(plugin), routes)
}

/** Its page in the workspace's settings, for staff. */
export function mountSettingsPage(parent: Router, plugin: Section, host: Host) {
  const { name, settings } = plugin
  if (!settings) return
  const at = `/${settings.path ?? name}`
  const routes = Object.assign(Router(), { at })
  settings.routes(routes, host)
  requireRules(plugin, routes, [admins.rule])
  parent.use(at, ...widening(plugin), routes)
}

/** A section that this person has not got answers like an address that does not exist. */
const offered =
  ({ name }: Section): RequestHandler =>
  (req, _res, next) => {
    const { crm, on } = req.portal
    next(name in crm && on(name) ? undefined : new NotFound())
  }
