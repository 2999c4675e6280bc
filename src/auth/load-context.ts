import { randomBytes, randomUUID } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm, Customer, Ports } from '../crm/crm.ts'
import type { Workspaces } from '../crm/workspaces.ts'
import { assetAddress } from '../http/assets.ts'
import type { RequestContext } from '../http/context.ts'
import { CrmUnavailable, Forbidden, NotFound, SignInRequired } from '../http/errors.ts'
import { currentTime } from '../platform/clock.ts'
import { drifted, unreachable, within } from '../platform/database.ts'
import { dateIn, languages, localeOf, speak, zoneOf } from '../platform/i18n.ts'
import type { Section } from '../plugin/plugin.ts'

import { accessOf, declaredBy } from './access.ts'
import type { Guest } from './guest.ts'
import { roleName } from './roles.ts'

type Services = Pick<
  RequestContext,
  | 'runAction'
  | 'capability'
  | 'viewedVersions'
  | 'fillSlots'
  | 'journal'
  | 'mailContext'
  | 'recipients'
  | 'signing'
  | 'slotViews'
  | 'documentHistory'
>

/** Sets up `req.portal` with what every response needs, error pages included. */
export const initContext =
  ({ database, ...services }: Services & { database: Knex }): RequestHandler =>
  (req, _res, next) => {
    const api = req.path.startsWith('/api/v1/')
    const base = req.baseUrl + (api ? '/api/v1' : '')
    const mount = req.params.workspace ? req.baseUrl.slice(0, req.baseUrl.lastIndexOf('/')) : req.baseUrl
    const context: Partial<RequestContext> = {
      ...speak(`${localeOf(req.get('Accept-Language') ?? '')}|UTC`),
      id: requestId(req),
      claimed: false,
      wants: api ? 'json' : req.get('HX-Request-Type') === 'partial' ? 'fragment' : 'page',
      frame: 'page',
      settingsArea: undefined,
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
      user: undefined,
      bearer: undefined,
      cookieless: false,
      guest: undefined as Guest | undefined,
      viewing: undefined,
      nav: [],
      may: () => false,
      rights: {},
      roleName: role => roleName(req.portal, role),
      allowed: () => [],
      on: () => false,
      staff: undefined,
      awaiting: undefined,
      pluginPages: [],
      workspace: undefined,
      customer: undefined,
    }
    req.portal = context as RequestContext
    next()
  }

/** Returns 128 random bits (CSP Level 3, 7.1) from a larger batch. */
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

/** The request's id: a proxy's, if it has a valid form. */
const requestId = (req: Request) => /^[\w.:-]{8,64}$/.exec(req.get('X-Request-Id') ?? '')?.[0] ?? randomUUID()

/** Loads the workspace from the CRM. A request for an unknown workspace is passed on to the host. */
export const loadWorkspace =
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

/** Loads the signed-in user, their client, permissions and available sections. Nothing is cached between requests. */
export function loadCustomer({
  crm,
  activation,
  sections,
}: {
  crm: Crm
  activation: Activation
  sections: Section[]
}): RequestHandler {
  const declared = declaredBy(sections)

  return (req, _res, next) => {
    const { user, workspace, now, locale, bearer } = req.portal
    if (!user) return next()
    const { person, memberships, settings, rights } = user
    // In a browser, a person with several clients may have chosen another one; a token is bound to one.
    const chosen = memberships.find(it => it.client === req.portal.sessionRequest.session.client)
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
    const ports = activation.availablePorts(crm.connect(customer))
    const offered = (section: string) => section in ports
    const access = accessOf(declared, { client, person: person.id, role, rights, settings, offered })
    const { on } = access
    const may = (permission: string) => (bearer?.scopes?.includes(permission) ?? true) && access.may(permission)
    const spoken = person.language && languages.some(it => it === person.language) ? person.language : locale
    Object.assign(req.portal, {
      ...speak(`${spoken}|${zoneOf(person.timeZone ?? workspace.timeZone)}`),
      nav: sections.filter(it => may(`${it.name}.see`)),
      may,
      rights,
      allowed: () => [...declared.permissions.keys()].filter(may),
      on,
      customer,
      crm: ports as Ports,
    } satisfies Partial<RequestContext>)
    next()
  }
}

/**
 * Loads the workspace for staff, who need the settings area most when the CRM fails: then with its last known data, or
 * if there is none, with its name only.
 */
export const loadWorkspaceForStaff = (
  workspaces: Workspaces,
  slugOf: (req: Request<any>) => string,
): RequestHandler<any> => {
  const find = loadWorkspace(workspaces, slugOf)
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

/** Requires a signed-in user. Fails with SignInRequired. */
export const requireSignIn: RequestHandler = (req, _res, next) =>
  next(req.portal.customer ? undefined : new SignInRequired())
