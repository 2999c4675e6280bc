import { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import { safe } from '../auth/enter.ts'
import { NotFound } from '../errors.ts'
import { anybody, type Section } from '../section.ts'
import { addressOf, entering, NoLink, type Parts, placeOf } from './guest.ts'
import { askForCode, proving } from './proof.ts'
import { openLink } from './store.ts'
import { giveTicket, newTicket, ticketOf } from './ticket.ts'

/**
 * One document without an account. The token is exchanged on arrival for a cookie of this link alone; what follows are
 * the pages of the document's section, mounted once more, for a visit that is let through to nothing else.
 */
export function links(parts: Parts): Router {
  const { database, limits, mailed, secrets, sections } = parts
  const router = Object.assign(Router(), { at: '/link' })
  const enter = entering(parts)
  const prove = proving(parts, enter)

  router.use((_req, res, next) => {
    res.set({ 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex', 'Cache-Control': 'private, no-store' })
    next()
  })

  router.get('/:token', anybody, async (req, res) => {
    const { workspace, url } = req.portal
    const found = await limits.count(req, {})
    const link = await openLink(database, workspace.id, { token: String(req.params.token) })
    if (!link) throw new NoLink()
    const ticket = newTicket(req, link.id)
    await enter(req, link, ticket)
    await found()
    await record(req, { event: 'links.opened', subject: { id: link.document, number: link.number } })
    giveTicket(req, res, ticket, url(placeOf(link)), secrets)
    res.redirect(303, req.portal.url(addressOf(link)))
  })

  /** By its cookie. */
  const entered: RequestHandler<any> = async (req, _res, next) => {
    const { workspace } = req.portal
    const id = z.uuid().safeParse(req.params.link).data
    const ticket = id && ticketOf(req, id, secrets)
    const link = ticket && (await openLink(database, workspace.id, { id }))
    if (!link) throw new NoLink()
    await enter(req, link, ticket)
    const { signs } = req.portal.guest!
    req.portal.climb = (_action, res, next) => (signs ? prove(req, res, next) : next(new NotFound()))
    next()
  }

  router.post('/open/:link/code', anybody, entered, prove, (req, res) => {
    const { guest, url, body } = req.portal
    res.redirect(303, safe(req, Object(body).next ?? url(addressOf(guest!.link))))
  })

  /** Whoever has proven to be somebody who may not do it tries another address: the browser is nobody's again. */
  router.post('/open/:link/another-address', anybody, entered, (req, res) => {
    const { guest, url } = req.portal
    const { proof, ...ticket } = guest!.ticket
    giveTicket(req, res, ticket, url(placeOf(guest!.link)), secrets)
    res.redirect(303, url(addressOf(guest!.link)))
  })

  router.use('/open/:link', entered, (req, res, next) => {
    const { guest } = req.portal
    if (!guest?.link.coded || guest.known) return next()
    return mailed ? prove(req, res, next) : askForCode(req, res)
  })
  for (const it of sections) if (it.link) router.use(`/open/:link/${it.name}`, only(it.name), opened(it as Linked))
  router.use(() => {
    throw new NotFound()
  })

  return router
}

type Linked = Section & { link: NonNullable<Section['link']> }

const only =
  (section: string): RequestHandler =>
  ({ portal: { guest } }, _res, next) =>
    next(guest?.link.section === section ? undefined : new NotFound())

/** Of a section's routes those that a link opens, for the link's own document. */
function opened({ name, link, routes }: Linked): Router {
  const router = Object.assign(Router(), { at: `/open/:link/${name}` })
  routes(router)
  router.stack = router.stack.filter(it => it.route && link.opens.includes(it.route.path))
  router.param('id', (req: Request, _res, next, id) =>
    next(id === req.portal.guest?.link.document ? undefined : new NotFound()),
  )
  return router
}
