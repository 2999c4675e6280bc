import type { Request, RequestHandler, Response, Router } from 'express'
import { z } from 'zod'
import { Conflict } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { identified, may } from '../../src/plugin/permissions.ts'
import { markOf } from './bound.ts'
import type { Kind } from './kind.ts'
import { naming } from './signed.ts'
import { findRespondable, showTooLateOr } from './waiting.ts'

/** The page on which an offer is declined with a reason, and declining it. */
export function rejectionRoutes(router: Router, kind: Kind, choose: RequestHandler<any>) {
  const answer = may(`${kind.name}.respond`)
  const signer = identified(`${kind.name}.respond`)
  const show = showTooLateOr(kind, choose, showRejection(kind))
  router.get('/:id/rejection', answer, signer, show)
  router.post('/:id/rejection', answer, signer, decline(kind), showAgainOnError(show))
}

export const Declining = z.object({
  seen: z.string().catch(''),
  reason: z
    .string()
    .trim()
    .max(2_000, 'This is too long.')
    .transform(it => it.toWellFormed())
    .pipe(z.string().min(1, 'Give a short reason.')),
})

const showRejection = (kind: Kind) => async (req: Request<any>, res: Response) => {
  const { offer } = await findRespondable(kind, req)
  const { reason = '' } = Object(req.portal.body ?? req.portal.keptFields)
  const { name, one, shared } = kind
  res.respond(`${name}/decline`, { offer, [one]: offer, reason, seen: markOf(offer, ''), ...shared(req.portal) })
}

const decline =
  (kind: Kind): RequestHandler<any> =>
  async (req, res) => {
    const { offer, before } = await findRespondable(kind, req)
    const { reason, seen } = read(Declining, req)
    if (seen !== markOf(offer, '')) throw new Conflict()
    await req.portal.signing.sign(req, {
      section: kind.name,
      act: 'declined',
      before,
      document: naming(offer),
      reason,
    })
    res.redirect(303, kind.address(req, '/evidence?done'))
  }
