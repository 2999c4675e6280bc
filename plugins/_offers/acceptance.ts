import type { Request, RequestHandler, Response, Router } from 'express'
import { z } from 'zod'
import { AboveLimit, isAboveLimit } from '../../src/auth/approval-limit.ts'
import { grouped } from '../../src/crm/document.ts'
import { fingerprintOf, sha256 } from '../../src/evidence/canonical.ts'
import type { DocumentBytes } from '../../src/evidence/composition.ts'
import { consentOf, policyOf } from '../../src/evidence/policy.ts'
import { signatureFields, signatureIn } from '../../src/evidence/signature.ts'
import { fitsName } from '../../src/evidence/signer-name.ts'
import { strokesIn } from '../../src/evidence/strokes.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { Conflict, Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { identified, may, stepUp } from '../../src/plugin/permissions.ts'
import { changed, changesSince, filesOf, markOf } from './bound.ts'
import { contentOf } from './content.ts'
import { downPaymentFor } from './down-payment.ts'
import type { Kind } from './kind.ts'
import type { Offer } from './port.ts'
import { printed } from './print.ts'
import { isSelectable, selectionOf } from './selection.ts'
import { offerAsSelected, selectionParams, selectionRulesOf, withSelectableLines } from './selection-params.ts'
import { naming } from './signed.ts'
import { findRespondable, showTooLateOr } from './waiting.ts'

/** The page on which an offer is accepted, and accepting it. `choose` is the page on which a choice is made. */
export function acceptanceRoutes(router: Router, kind: Kind, choose: RequestHandler<any>) {
  const answer = may(`${kind.name}.respond`)
  const signer = identified(`${kind.name}.respond`)
  const show = showTooLateOr(kind, choose, showAcceptance(kind))
  router.get('/:id/acceptance', answer, signer, show)
  router.post('/:id/acceptance', answer, signer, stepUp(`${kind.name}.accept`), accept(kind), showAgainOnError(show))
}

export const Accepting = z.object({
  seen: z.string().catch(''),
  agree: z.string().optional().catch(undefined),
  ...signatureFields,
  order: z
    .string()
    .trim()
    .max(60, 'This is too long.')
    .transform(it => it.toWellFormed())
    .optional(),
  wished: z.union([z.literal(''), z.iso.date('Choose a date.')], 'Choose a date.').optional(),
})

const showAcceptance = (kind: Kind) => async (req: Request<any>, res: Response) => {
  const { portal } = req
  const { name, one, port, shared } = kind
  const rules = selectionRulesOf(name, portal, port(portal))
  const { offer: found } = await findRespondable(kind, req)
  const from = req.method === 'GET' ? (portal.keptFields ?? req.query) : portal.body
  const offer = offerAsSelected(found, from, rules)
  const options = withSelectableLines(offer, rules)
  const consent = consentTo(kind, portal, offer)
  const limit = isAboveLimit(offer, portal)
  // People who may not sign need no files.
  const files = limit ? { paper: undefined, attached: [] } : await filesOf(port(portal), found, offer)
  const seen = markOf(offer, consent, files)
  const { typed, drawn, unlike } = typedIn(portal)
  // Also where something else is wrong: what was shown before is not what is shown now.
  const before = !limit && portal.body && typeof typed.seen === 'string' ? typed.seen : seen
  res.respond(`${name}/accept`, {
    ...{
      offer,
      [one]: offer,
      groups: grouped(offer.lines),
      selection: selectionOf(options),
      selecting: isSelectable(options),
    },
    ...{ hiddenFields: selectionParams(from, found, rules), consent, seen, limit, typed, drawn, unlike },
    methods: policyOf(portal).methods,
    changed: changesSince(before, seen, files, portal.t),
    files: files.attached,
    paper: files.paper && sha256(files.paper.bytes),
    fingerprint: fingerprintOf(contentOf(offer)),
    downPayment: await downPaymentFor(portal, name, offer),
    ...shared(portal),
  })
}

/** What was typed and drawn already; `unlike` where a typed name is not the account's. */
function typedIn({ body, keptFields, customer }: RequestContext) {
  const { strokes, ...typed } = z
    .record(z.string(), z.unknown())
    .catch({})
    .parse(body ?? keptFields)
  const name = typeof typed.typed === 'string' && typed.typed.trim() ? typed.typed : undefined
  return {
    typed,
    drawn: typeof strokes === 'string' && strokesIn(strokes) ? strokes : '',
    unlike: name !== undefined && !fitsName(name, customer.person.name),
  }
}

const accept =
  (kind: Kind): RequestHandler<any> =>
  async (req, res) => {
    const { portal } = req
    const { name, port, address } = kind
    const { offer, before } = await findRespondable(kind, req)
    const form = read(Accepting, req)
    const shown = offerAsSelected(offer, portal.body, selectionRulesOf(name, portal, port(portal)))
    if (isAboveLimit(shown, portal)) throw new AboveLimit()
    const consent = consentTo(kind, portal, shown)
    const signature = signatureOf(form, portal)
    const files = await filesOf(port(portal), offer, shown)
    if (form.seen !== markOf(shown, consent, files)) throw new Conflict()
    const pdf = files.paper ?? (await paperOf(kind, shown, portal))
    await portal.signing.sign(req, {
      section: name,
      act: 'accepted',
      before,
      document: { ...naming(shown), pdf, attachments: files.attached },
      consent,
      signature,
      order: { number: form.order || null, requestedOn: form.wished || null },
      selection: changed(offer, shown) ? 'own' : 'as offered',
    })
    res.redirect(303, address(req, '/evidence?done'))
  }

/** Throws Invalid, with all that is wrong with the form. */
function signatureOf(form: z.infer<typeof Accepting>, { customer, body, user }: RequestContext) {
  const { signature, wrong } = signatureIn(form, policyOf({ user }).methods, customer.person.name)
  if (form.wished && form.wished < customer.today) wrong.wished = ['Choose today or a later day.']
  if (form.agree === undefined) wrong.agree = ['Tick the box to accept.']
  if (!signature || Object.keys(wrong).length) throw new Invalid(wrong, body)
  return signature
}

/** The words that are agreed to. */
function consentTo({ labels }: Kind, context: RequestContext, offer: Offer): string {
  const facts = {
    document: labels(context).numbered(offer.number),
    version: String(offer.version),
    total: context.money(offer.total),
    client: context.customer.client.name,
  }
  const ours = context.t(
    'I accept {document}, version {version}, as shown here, for {total}, and its terms. I agree to sign electronically, and that this binds {client} as a signature on paper would.',
    facts,
  )
  return consentOf(policyOf(context), facts, ours)
}

/** Our own print of what was shown. Several people who accept at once share one print. */
async function paperOf({ labels }: Kind, shown: Offer, context: RequestContext): Promise<DocumentBytes> {
  const document = printed(shown, labels(context).one, context)
  const key = sha256(context.workspace.id, JSON.stringify(document))
  const paper = making.get(key) ?? context.logo().then(logo => pdfOf(document, logo, { by: '', first: true }))
  making.set(key, paper)
  return { bytes: await paper.finally(() => making.delete(key)), by: 'portal' }
}
const making = new Map<string, Promise<Buffer>>()
