import type { Request, RequestHandler, Response } from 'express'
import { grouped } from '../../src/crm/document.ts'
import { lineNames } from '../../src/crm/line-names.ts'
import type { PastResponse } from '../../src/evidence/history.ts'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { contentOf } from './content.ts'
import { downPaymentFor } from './down-payment.ts'
import type { Kind } from './kind.ts'
import type { Offer } from './port.ts'
import { changesSinceSigned } from './since-signed.ts'

/**
 * An offer that waits for an answer, with the answers that the CRM has had to this version: it offers it once more. Throws
 * NotFound where nothing can be answered, and Conflict where it is too late.
 */
export async function findRespondable(
  { name, port }: Kind,
  req: Request<any>,
): Promise<{ offer: Offer; before: string[] }> {
  const offers = port(req.portal)
  const id = String(req.params.id)
  // In this order: what had arrived before the CRM says that it is open, is not what it still has to say.
  const { responses: answers } = await req.portal.documentHistory(req, name, id)
  const offer = await offers.find(id)
  if (!(offers.respond || offers.submit) || !req.portal.on(`${name}.responses`)) throw new NotFound()
  if (offer.status !== 'open' || pending(answers, offer)) throw new Conflict()
  const before = answers.filter(it => it.version === offer.version && it.state === 'confirmed').map(it => it.id)
  return { offer, before }
}

/** Whether an answer to this version is on its way to the CRM. */
export const pending = (rows: PastResponse[], offer: Offer) =>
  rows.find(it => it.version === offer.version && (it.state === 'saved' || it.state === 'submitting'))

type Show = (req: Request<any>, res: Response) => Promise<void>

/** Shows the current state to those who are too late, and the page `choose` again for a selection that is refused. */
export const showTooLateOr =
  (kind: Kind, choose: RequestHandler<any>, show: Show): RequestHandler<any> =>
  async (req, res, next) => {
    await show(req, res).catch(async error => {
      if (error instanceof Invalid) {
        req.portal.problem = error
        return choose(req, res, next)
      }
      if (!(error instanceof Conflict)) throw error
      await showTooLate(kind, error, req, res)
    })
  }

async function showTooLate({ name, one, port, shared, address }: Kind, error: Conflict, req: Request, res: Response) {
  const offer = await port(req.portal).find(String(req.params.id))
  const documentHistory = await req.portal.documentHistory(req, name, offer.id)
  const [last] = documentHistory.responses
  if (last?.person === req.portal.customer.person.id && last.version === offer.version)
    return res.redirect(303, address(req, '/evidence'))
  req.portal.problem ??= error
  res.respond(`${name}/show`, {
    ...{ offer, [one]: offer, groups: grouped(offer.lines), ...documentHistory, ...documentHistory.attached },
    ...(await req.portal.fillSlots(req, 'subject')),
    changed: changesSinceSigned(documentHistory.signed?.evidence, contentOf(offer), req.portal),
    lineNames: lineNames(offer.lines, req.portal),
    downPayment: await downPaymentFor(req.portal, name, offer),
    ...shared(req.portal),
  })
}
