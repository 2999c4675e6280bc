import { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import type { Guest } from '../../src/auth/guest.ts'
import { coreHostOf } from '../../src/auth/host.ts'
import { safeRedirect } from '../../src/auth/sign-in.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { NotFound } from '../../src/http/errors.ts'
import { anybody } from '../../src/http/rules.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import type { Host, LinkedPages, Section } from '../../src/plugin/plugin.ts'
import { widening } from '../../src/plugin/routes.ts'
import type { Linkable } from '../../src/plugin/subjects.ts'
import { askForCode, requireCode } from './code-verification.ts'
import { addressOf, guestContexts, levelOf, NoLink, type Parts, placeOf } from './guest.ts'
import { linkSessionOf, newLinkSession, saveLinkSession } from './link-session.ts'
import { openLink } from './store.ts'

/**
 * One document without an account. The token is exchanged on arrival for a cookie of this link alone; what follows are
 * the pages of the document's section, mounted once more, for a request that reaches nothing else.
 */
export function publicRoutes(router: Router, host: Host): void {
  const parts = coreHostOf(host)
  const contextFor = guestContexts(parts)
  const prove = requireCode(parts, contextFor)
  const loadLink = requireLinkSession(parts, contextFor, prove)

  router.use(hideFromOthers)
  router.get('/:token', anybody, exchangeToken(parts, contextFor))
  router.post('/open/:link/code', anybody, loadLink, prove, continueToDocument)
  router.post('/open/:link/another-address', anybody, loadLink, forgetWhoseItIs(parts))
  router.use('/open/:link', loadLink, proveWhereAsked(parts, prove))
  for (const section of parts.plugins) {
    const link = section.subject?.link
    if (!link) continue
    router.use(`/open/:link/${section.name}`, only(section.name), ...widening(section), opened(section, link, host))
  }
  for (const it of parts.plugins)
    if (it.linked)
      router.use(`/open/:link/${it.name}`, onlyBeside(it.name), ...widening(it), besideDocument(it, it.linked, host))
  router.use(() => {
    throw new NotFound()
  })
}

type ContextFor = ReturnType<typeof guestContexts>
type Prove = ReturnType<typeof requireCode>

const hideFromOthers: RequestHandler = (_req, res, next) => {
  res.set({ 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex', 'Cache-Control': 'private, no-store' })
  next()
}

/** For a cookie of the link that it belongs to. */
const exchangeToken =
  ({ database, limits, secrets }: Parts, contextFor: ContextFor): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, url } = req.portal
    const found = await limits.count(req, {})
    const link = await openLink(database, workspace.id, { token: String(req.params.token) })
    if (!link) throw new NoLink()
    const ticket = newLinkSession(req, link.id)
    req.portal = await contextFor(req, link, ticket)
    await found()
    await recordEvent(req, { event: 'links.opened', subject: { id: link.document, number: link.number } })
    saveLinkSession(req, res, ticket, url(placeOf(link)), secrets)
    res.redirect(303, req.portal.url(addressOf(link)))
  }

/** Loads the link by its cookie. Its step-up is a code. */
const requireLinkSession =
  ({ database, secrets, plugins }: Parts, contextFor: ContextFor, prove: Prove): RequestHandler<any> =>
  async (req, _res, next) => {
    const { workspace } = req.portal
    const id = z.uuid().safeParse(req.params.link).data
    const ticket = id && linkSessionOf(req, id, secrets)
    const link = ticket && (await openLink(database, workspace.id, { id }))
    if (!link) throw new NoLink()
    const context = await contextFor(req, link, ticket)
    req.portal = { ...context, requireStepUp: stepUpByCode(req, context.guest!, { plugins, prove }) }
    next()
  }

/** Actions of the document's own section always ask for a code; others as the workspace has set it. */
const stepUpByCode =
  (
    req: Request<any>,
    { link, signs, beside }: Guest,
    { plugins, prove }: { plugins: Section[]; prove: Prove },
  ): RequestContext['requireStepUp'] =>
  (action, res, next) => {
    const found = plugins.find(it => beside.includes(it.name) && action in (it.stepUps ?? {}))
    if (found && levelOf(link, found, action) === 'none') return next()
    if (found || signs) return prove(req, res, next)
    next(new NotFound())
  }

const continueToDocument: RequestHandler<any> = (req, res) => {
  const { guest, url, body } = req.portal
  res.redirect(303, safeRedirect(req, Object(body).next ?? url(addressOf(guest!.link))))
}

/** A verified contact without the permission can use another address: the verification is removed. */
const forgetWhoseItIs =
  ({ secrets }: Parts): RequestHandler<any> =>
  (req, res) => {
    const { guest, url } = req.portal
    const { proof, ...ticket } = guest!.ticket
    saveLinkSession(req, res, ticket, url(placeOf(guest!.link)), secrets)
    res.redirect(303, url(addressOf(guest!.link)))
  }

/** Staff may have asked for a code before the document is shown. */
const proveWhereAsked =
  (parts: Parts, prove: Prove): RequestHandler<any> =>
  (req, res, next) => {
    const { guest } = req.portal
    const { mailContext } = parts
    if (!guest?.link.coded || guest.known) return next()
    return mailContext ? prove(req, res, next) : askForCode(parts, req, res)
  }

const only =
  (section: string): RequestHandler =>
  ({ portal: { guest } }, _res, next) =>
    next(guest?.link.section === section ? undefined : new NotFound())

const onlyBeside =
  (name: string): RequestHandler =>
  ({ portal: { guest } }, _res, next) =>
    next(guest?.beside.includes(name) ? undefined : new NotFound())

/** What a plugin offers beside the document, as far as a link goes. */
function besideDocument({ name }: Section, linked: LinkedPages, host: Host): Router {
  const router = Object.assign(Router(), { at: `/open/:link/${name}`, forGuests: true })
  router.use(onlyShowAndSend)
  linked.routes(router, host)
  return router
}

/** Of a section's routes those that a link opens, for the link's own document. */
function opened(section: Section, link: Linkable, host: Host): Router {
  const router = Object.assign(Router(), { at: `/open/:link/${section.name}`, forGuests: true })
  router.use(onlyShowAndSend)
  router.param('id', (req: Request, _res, next, id) =>
    next(id === req.portal.guest?.link.document ? undefined : new NotFound()),
  )
  section.routes(limitedTo(link.opens, router), host)
  return router
}

const onlyShowAndSend: RequestHandler = ({ method }, _res, next) =>
  next(['GET', 'HEAD', 'POST'].includes(method) ? undefined : new NotFound())

/** The same router for who adds routes, which takes those at these paths only: others go to a router of no use. */
function limitedTo(paths: readonly string[], router: Router): Router {
  const unused = Router()
  const route = (path: string) => (paths.includes(path) ? router.route(path) : unused.route(path))
  return Object.create(router, { route: { value: route } })
}
