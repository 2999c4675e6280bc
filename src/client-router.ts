import { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { bearer } from './api/bearer.ts'
import { cors } from './api/cors.ts'
import { api } from './api/routes.ts'
import { promptClientSwitch } from './auth/client-switch-prompt.ts'
import { dropDepartedContacts } from './auth/departed-contacts.ts'
import { loadCustomer, loadWorkspace, requireSignIn } from './auth/load-context.ts'
import { requireMfa } from './auth/mfa-policy.ts'
import { dropSwitchedOff } from './auth/portal-switch.ts'
import { authRoutes } from './auth/routes.ts'
import { sessions } from './auth/sessions.ts'
import { callbackPath } from './auth/sign-in-with.ts'
import { clientStepUp, stepUpsOf } from './auth/step-up.ts'
import { teamRoutes } from './auth/team.ts'
import { showLogo } from './branding/show.ts'
import type { Activation } from './crm/activation/activation.ts'
import { verify } from './evidence/verify.ts'
import { arrangement } from './home/arrangement.ts'
import { home } from './home/home.ts'
import { showWaiting } from './home/waiting.ts'
import { assets } from './http/assets.ts'
import { sameOrigin } from './http/csrf.ts'
import { CrmUnavailable, NotFound, Unavailable } from './http/errors.ts'
import { bodies } from './http/forms.ts'
import { keptForms } from './http/kept-forms.ts'
import { errorHandler } from './http/respond.ts'
import { anybody } from './http/rules.ts'
import { showLive } from './live/route.ts'
import { loadCountTopics } from './live/topics.ts'
import { drifted } from './platform/database.ts'
import { mountAccountRoutes, mountClientRoutes, mountPublicRoutes } from './plugin/mount.ts'
import { anyMember } from './plugin/permissions.ts'
import { sentencesOf } from './plugin/sentences.ts'
import { showOwn } from './plugin/timeline.ts'
import type { Services } from './services.ts'

/**
 * The clients' pages: checks the flag first, then loads the workspace and the signed-in user, checks the rule, and runs
 * the section's handler.
 */
export function clientRouter(services: Services): Router {
  const { claim, activation, flags, log, operator } = services
  const router = Router()
  router.use((_req, _res, next) => next(flags.enabledAnywhere() ? undefined : 'router'))
  router.use('/-/assets', assets())
  router.use('/-', operator.router)
  router.use(
    '/:workspace',
    (async (req, _res, next) =>
      next(flags.enabled(req.params.workspace) && (await activation.isAccepted()) ? undefined : 'router')) as Scoped,
    workspaceRouter(services),
  )
  router.use(errorHandler(log, claim))
  return router
}

type Scoped = RequestHandler<{ workspace: string }>

/** The portal of one workspace. */
function workspaceRouter(services: Services): Router {
  const { claim, activation, host, log, sections } = services
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/:workspace' })
  inside.use(loadRequest(services))
  for (const it of sections) mountPublicRoutes(inside, it, host)
  ownPages(inside, services)
  for (const it of sections) {
    mountAccountRoutes(inside, it, host)
    mountClientRoutes(inside, it, host, requireSignIn)
  }
  inside.use(requireSignIn, () => {
    throw new NotFound()
  })
  inside.use(lookAgain(activation), errorHandler(log, claim))
  return inside
}

/** Loads the workspace, the signed-in user and their permissions. */
function loadRequest(services: Services): RequestHandler[] {
  const { address, begin, claim, crm, database, activation, log, origins, workspaces, secrets, sections, switchOff } =
    services
  return [
    ...begin,
    requireFittingSecret(activation),
    fitting(activation),
    loadWorkspace(workspaces),
    switchOff.remember,
    claim,
    cors(origins),
    bearer({ database, log }, sessions({ database, secrets, log })),
    dropDepartedContacts({ crm, log }),
    dropSwitchedOff,
    loadCustomer({ crm, activation, sections }),
    loadCountTopics,
    sameOrigin(address, callbackPath),
    bodies,
    keptForms(secrets),
  ]
}

/** The core's own pages: sign-in, account, team and home page. */
function ownPages(inside: Router, services: Services): void {
  const {
    address,
    authenticate,
    crm,
    database,
    activation,
    flags,
    holders,
    host,
    hub,
    keys,
    limits,
    log,
    mailContext,
  } = services
  const { placeOf, workspaces, secrets, sections, strategies } = services
  const actions = stepUpsOf(sections)
  inside.use(requireMfa, promptClientSwitch)
  inside.use(clientStepUp({ database, identity: crm.identity, keys, limits, mailContext, secrets, actions }))
  inside.get('/logo/:version{/:paper}', anybody, showLogo(workspaces))
  inside.use('/api/v1', api({ authenticate, database, host, limits, log, mailContext, secrets, sections }))
  inside.use(
    authRoutes({
      address,
      authenticate,
      crm,
      database,
      holders,
      keys,
      limits,
      log,
      mailContext,
      placeOf,
      secrets,
      strategies,
    }),
  )
  inside.use(verify(database, secrets))
  const parts = { crm, database, activation, flags, log, sections, workspaces }
  inside.use('/team', teamRoutes({ ...parts, mailContext }))
  inside.use('/account/home', arrangement(database))
  inside.get('/', anyMember, home(parts))
  inside.get('/waiting', anyMember, showWaiting(host))
  inside.get('/live', anyMember, showLive({ database, hub, sections }))
  inside.get('/activity', anyMember, showOwn(database, sentencesOf(sections)))
}

/**
 * Refuses requests if this instance has another secret: other instances could not read what it signs and seals, nor it
 * theirs.
 */
export const requireFittingSecret =
  (activation: Activation): RequestHandler =>
  async (_req, _res, next) =>
    next((await activation.hasRightSecret()) ? undefined : new Unavailable())

/** Refuses requests while a part of the CRM that every page needs has drifted. */
const fitting =
  (activation: Activation): RequestHandler =>
  (_req, _res, next) =>
    next(activation.isComplete() ? undefined : new CrmUnavailable())

/** Checks for drift after a refused statement, which may be the first sign of a changed CRM schema. */
const lookAgain =
  (activation: Activation): ErrorRequestHandler =>
  (error, _req, _res, next) => {
    if (drifted(error)) activation.check().catch(() => undefined)
    next(error)
  }
