import { randomBytes, randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { assetAddress } from './assets.ts'
import { includes } from './auth/roles.ts'
import type { Workspaces } from './branding/workspaces.ts'
import { currentTime } from './clock.ts'
import type { RequestContext } from './context.ts'
import type { Crm, Customer, Ports } from './crm.ts'
import { unreachable, within } from './database.ts'
import { CrmUnavailable, Forbidden, NotFound, SignedOut } from './errors.ts'
import { drifted } from './gate/drift.ts'
import type { Gate } from './gate/gate.ts'
import { dateIn, languages, localeOf, speak, zoneOf } from './language.ts'
import type { Section } from './section.ts'
import { resolve, togglesOf } from './settings/toggles.ts'

/** Enough to answer anybody, if only with an error. */
export const arrive =
  ({
    database,
    ...services
  }: Pick<RequestContext, 'act' | 'earlier' | 'journal' | 'mailed' | 'readers' | 'signing' | 'story'> & {
    database: Knex
  }): RequestHandler =>
  (req, _res, next) => {
    const api = req.path.startsWith('/api/v1/')
    const base = req.baseUrl + (api ? '/api/v1' : '')
    const mount = req.params.workspace ? req.baseUrl.slice(0, req.baseUrl.lastIndexOf('/')) : req.baseUrl
    const visit: Partial<RequestContext> = {
      ...speak(`${localeOf(req.get('Accept-Language') ?? '')}|UTC`),
      id: requestId(req),
      claimed: false,
      wants: api ? 'json' : req.get('HX-Request-Type') === 'partial' ? 'fragment' : 'page',
      frame: 'page',
      area: undefined,
      inWorkspace: async work => {
        if (!req.portal.staff) throw new Forbidden()
        return within(database, { workspace: req.portal.workspace.id }, work)
      },
      nonce: nonce(),
      now: currentTime(database),
      url: path => base + path,
      asset: name => mount + assetAddress(name),
      ...services,
      body: undefined,
      problem: undefined,
      visitor: undefined,
      bearer: undefined,
      cookieless: false,
      guest: undefined,
      nav: [],
      may: () => false,
      rights: {},
      allowed: () => [],
      on: () => false,
      staff: undefined,
      awaiting: undefined,
      pluginPages: [],
      workspace: undefined,
      customer: undefined,
    }
    req.portal = visit as RequestContext
    next()
  }

/** 128 random bits (CSP Level 3, 7.1), of many that are drawn at once. */
function nonce(): string {
  if (drawn === random.length) {
    random = randomBytes(4_096)
    drawn = 0
  }
  drawn += 16
  return random.toString('base64', drawn - 16, drawn)
}
let random = Buffer.alloc(0)
let drawn = 0

/** A proxy's id is kept where it has the form of one. */
const requestId = (req: Request) => /^[\w.:-]{8,64}$/.exec(req.get('X-Request-Id') ?? '')?.[0] ?? randomUUID()

/** Finds the workspace in the CRM; one that is not there is left to the host. */
export const locate =
  (workspaces: Workspaces, slugOf = (req: Request<any>) => String(req.params.workspace)): RequestHandler<any> =>
  async (req, _res, next) => {
    const workspace = await workspaces.find(slugOf(req))
    if (!workspace) return next('router')
    if (req.path.includes('%00')) return next(new NotFound())
    req.portal.workspace = workspace
    req.portal.logo = () => workspaces.logo(workspace)
    Object.assign(req.portal, speak(`${req.portal.locale}|${zoneOf(workspace.timeZone)}`))
    next()
  }

/** Who asks, on whose behalf, what they may and what there is for them: nothing of it is remembered between requests. */
export function know({ crm, door, sections }: { crm: Crm; door: Gate; sections: Section[] }): RequestHandler {
  const permissions = new Map(sections.flatMap(it => Object.entries(it.permissions)))
  const toggles = togglesOf(sections)

  return (req, _res, next) => {
    const { visitor, workspace, now, locale, bearer } = req.portal
    if (!visitor) return next()
    const { person, memberships, settings, rights } = visitor
    // A browser goes on with another company of the person's; a token is for one.
    const chosen = memberships.find(it => it.client === req.portal.aside.session.client)
    const membership = chosen ?? (bearer ? undefined : memberships[0])
    if (!person || person.suspended || !membership) return next()

    const { client, name, role } = membership
    const customer: Customer = {
      workspace,
      client: { id: client, name },
      person,
      role,
      today: dateIn(zoneOf(workspace.timeZone), now),
    }
    const ports = door.passing(crm.connect(customer))
    const on = resolve(toggles, settings, client, person.id)
    const may = (permission: string) => {
      const [section = ''] = permission.split('.')
      if (bearer?.scopes && !bearer.scopes.includes(permission)) return false
      return section in ports && on(section) && includes(rights, role, permission, permissions.get(permission))
    }
    const spoken = person.language && languages.some(it => it === person.language) ? person.language : locale
    Object.assign(req.portal, {
      ...speak(`${spoken}|${zoneOf(person.timeZone ?? workspace.timeZone)}`),
      nav: sections.filter(it => may(`${it.name}.see`)),
      may,
      rights,
      allowed: () => [...permissions.keys()].filter(may),
      on,
      customer,
      crm: ports as Ports,
    } satisfies Partial<RequestContext>)
    next()
  }
}

/**
 * The same for staff, who must see what is wrong while it is: with what was last known of the workspace, or where that
 * is nothing, only by its name.
 */
export const locateAnyhow = (workspaces: Workspaces, slugOf: (req: Request<any>) => string): RequestHandler<any> => {
  const find = locate(workspaces, slugOf)
  return (req, res, next) =>
    Promise.resolve(find(req, res, next)).catch(error => {
      if (!(unreachable(error) || drifted(error) || error instanceof CrmUnavailable)) throw error
      const slug = slugOf(req)
      const none = { id: '', slug, name: slug, letterhead: [], timeZone: 'UTC' }
      req.portal.workspace = workspaces.last(slug) ?? { ...none, given: none, revision: 0 }
      req.portal.logo = () => workspaces.logo(req.portal.workspace)
      next()
    })
}

/** Whoever is not signed in is asked to. */
export const known: RequestHandler = (req, _res, next) => next(req.portal.customer ? undefined : new SignedOut())
