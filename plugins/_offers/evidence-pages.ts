import type { Request, RequestHandler, Router } from 'express'
import { z } from 'zod'
import { bundleOf, type Stored } from '../../src/evidence/chain.ts'
import type { Evidence } from '../../src/evidence/evidence.ts'
import { policyOf } from '../../src/evidence/policy.ts'
import { pathOf } from '../../src/evidence/strokes.ts'
import { NotFound } from '../../src/http/errors.ts'
import { sendPdf } from '../../src/pdf/print.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { needsOf } from '../../src/plugin/needs.ts'
import { may } from '../../src/plugin/permissions.ts'
import { contentOf } from './content.ts'
import { downPaymentFor } from './down-payment.ts'
import type { Kind } from './kind.ts'
import type { Offer } from './port.ts'
import { changesSinceSigned } from './since-signed.ts'

/** The evidence of a response: as a page, as the sealed PDF, and as a bundle to verify. */
export function evidencePages(router: Router, kind: Kind) {
  const see = may(`${kind.name}.see`)
  router.get('/:id/evidence', see, showEvidence(kind))
  router.get('/:id/evidence/pdf', see, sendSealed(kind))
  router.get('/:id/evidence/bundle', see, sendBundle(kind))
}

/** The last answer to it; by a link only to whom it is from. */
async function answered(
  { name, port }: Kind,
  req: Request<any>,
): Promise<{ offer: Offer; row: Stored; evidence: Evidence }> {
  const offer = await port(req.portal).find(String(req.params.id))
  const [row] = await req.portal.signing.of(req, name, offer.id)
  const { guest, customer } = req.portal
  if (!row?.evidence || (guest && row.person_id !== customer.person.id)) throw new NotFound()
  return { offer, row, evidence: JSON.parse(row.evidence) }
}

const showEvidence =
  (kind: Kind): RequestHandler<any> =>
  async (req, res) => {
    const { portal } = req
    const { offer, row, evidence } = await answered(kind, req)
    const { countersigned } = await portal.documentHistory(req, kind.name, offer.id)
    const { signature } = evidence
    const done = req.query.done === '' && row.person_id === portal.customer.person.id
    // The page asks again every two seconds until the copy is sealed; what waits is told once.
    const looks = z.coerce.number().int().min(0).catch(0).parse(req.query.looks)
    const needs = done && !looks && !portal.guest ? await needsOf(portal) : []
    res.respond(`${kind.name}/evidence`, {
      offer,
      evidence,
      link: { number: row.sequence, hash: row.hash },
      failureReason: row.failure_reason,
      settledAt: row.settled_at?.toISOString() ?? null,
      sealed: row.sealed !== null,
      path: signature?.method === 'drawn' ? pathOf(signature.strokes) : '',
      changes: evidence.act === 'accepted' ? changesSinceSigned(row.evidence, contentOf(offer), portal) : [],
      next: linesOf(policyOf(portal).next),
      looks,
      done,
      needs: needs.filter(it => it.path !== `/${kind.name}/${offer.id}`),
      ...kind.shared(portal),
      countersigned: countersigned?.version === row.version ? countersigned : null,
      delivery: row.state,
      downPayment: evidence.act === 'accepted' ? await downPaymentFor(portal, kind.name, offer) : undefined,
    })
  }

const linesOf = (text: string) => text.split('\n').filter(it => it.trim())

const sendSealed =
  (kind: Kind): RequestHandler<any> =>
  async (req, res) => {
    const { offer, row } = await answered(kind, req)
    const bytes = row.sealed ?? row.document
    if (!bytes) throw new NotFound()
    await recordEvent(req, { event: `${kind.name}.downloaded`, subject: offer })
    const document = kind.labels(req.portal).numbered(offer.number)
    sendPdf(req, res, { name: req.portal.t('{document}, signed', { document }), bytes })
  }

const sendBundle =
  (kind: Kind): RequestHandler<any> =>
  async (req, res) => {
    const { offer, row } = await answered(kind, req)
    await recordEvent(req, { event: `${kind.name}.downloaded`, subject: offer })
    res
      .attachment(`evidence-${row.id}.json`)
      .set('Cache-Control', 'private, no-store')
      .type('application/json')
      .send(`${JSON.stringify(bundleOf(row), null, 2)}\n`)
  }
