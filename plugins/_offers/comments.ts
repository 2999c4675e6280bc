import type { RequestHandler, Router } from 'express'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { may } from '../../src/plugin/permissions.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { askApprovers } from './approval-request.ts'
import type { Kind } from './kind.ts'
import { offerAsSelected, selectionParams, selectionRulesOf } from './selection-params.ts'
import { recordOf } from './subject.ts'

/**
 * Questions on an offer, and asking a colleague to accept it. `show` is the page that tells what is wrong with either.
 */
export function commentThread(router: Router, kind: Kind, host: Host, show: RequestHandler<any>) {
  const { name, port, address } = kind
  host.capability('comments')?.routes(router, {
    kind: name,
    show,
    subject: async req => recordOf(await port(req.portal).find(String(req.params.id)), req.portal),
    async back(req) {
      const offers = port(req.portal)
      const found = await offers.find(String(req.params.id))
      const selection = selectionParams(req.portal.body, found, selectionRulesOf(name, req.portal, offers))
      return address(req, selection.size ? `?${selection}` : '')
    },
  })
  router.post('/:id/request', may(`${name}.comment`), askColleague(kind), showAgainOnError(show))
}

const askColleague =
  ({ name, port, address }: Kind): RequestHandler<any> =>
  async (req, res) => {
    const offers = port(req.portal)
    const found = await offers.find(String(req.params.id))
    if (!(offers.respond || offers.submit) || !req.portal.on(`${name}.responses`)) throw new NotFound()
    if (found.status !== 'open') throw new Conflict()
    const rules = selectionRulesOf(name, req.portal, offers)
    const { id, number, title, total, validUntil } = offerAsSelected(found, req.portal.body, rules)
    const selection = selectionParams(req.portal.body, found, rules)
    const asked = { section: name, id, number, title, total, validUntil, selection }
    await askApprovers(req, req.portal.mailContext, asked)
    res.redirect(303, address(req, `?${['asked', ...(selection.size ? [selection] : [])].join('&')}`))
  }
