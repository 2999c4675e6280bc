import type { Request, RequestHandler, Response, Router } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import { otherwise } from '../answer.ts'
import type { RequestContext } from '../context.ts'
import { grouped } from '../document.ts'
import { Conflict, Invalid, NotFound } from '../errors.ts'
import { canonical, sha256 } from '../evidence/canonical.ts'
import { bundleOf, type Stored } from '../evidence/chain.ts'
import type { Evidence, Signature } from '../evidence/evidence.ts'
import type { Paper } from '../evidence/signing.ts'
import { pathOf, strokesIn } from '../evidence/strokes.ts'
import { read } from '../form.ts'
import { pdfOf } from '../pdf/pdf.ts'
import { sendPdf } from '../pdf/print.ts'
import { identified, may, stepUp } from '../section.ts'
import { lineNames } from '../talk/line-names.ts'
import type { Answered } from '../talk/story.ts'
import { changed, changesSince, filesOf, markOf } from './bound.ts'
import { choiceOf, choosable } from './choice.ts'
import { carried, free, freedomOf, withChoice } from './choosing.ts'
import { contentOf } from './content.ts'
import type { Kind } from './kind.ts'
import { AboveLimit, over } from './limit.ts'
import { fitsName } from './names.ts'
import type { Offer, Offers } from './port.ts'
import { printed } from './print.ts'
import { consentOf, policyOf } from './signing.ts'
import { changesSinceSigned } from './since-signed.ts'

/** How one kind of offer is answered: its pages, and what they need. */
export interface Answering {
  kind: Kind
  port(visit: RequestContext): Offers
  /** What all of its pages may use. */
  shared(visit: RequestContext): object
  /** The page on which a choice is made, and what is wrong with it is told. */
  choose: RequestHandler<any>
}

/** Pages and commands by which an offer is accepted or declined, and the evidence afterwards. */
export function answering(router: Router, { kind, port, shared, choose }: Answering) {
  const { name } = kind
  const answer = may(`${name}.answer`)
  const signer = identified(`${name}.answer`)
  const see = may(`${name}.see`)
  const one = name.slice(0, -1)
  const idOf = (req: Request) => String(req.params.id)
  const address = (req: Request, rest = '') => req.portal.url(`/${name}/${encodeURIComponent(idOf(req))}${rest}`)

  /**
   * With the answers that the CRM has had to this version: it offers it once more. Throws NotFound where nothing can be
   * answered, and Conflict where it is too late.
   */
  async function waiting(req: Request<any>): Promise<{ offer: Offer; before: string[] }> {
    const offers = port(req.portal)
    // In this order: what had arrived before the CRM says that it is open, is not what it still has to say.
    const { answers } = await req.portal.story(req, name, idOf(req))
    const offer = await offers.find(idOf(req))
    if (!(offers.answer || offers.passOn) || !req.portal.on(`${name}.answers`)) throw new NotFound()
    if (offer.status !== 'open' || pending(answers, offer)) throw new Conflict()
    const before = answers.filter(it => it.version === offer.version && it.state === 'confirmed').map(it => it.id)
    return { offer, before }
  }

  /** Whoever comes too late sees how it stands; who has chosen what cannot be taken chooses again. */
  const late =
    (show: (req: Request<any>, res: Response) => Promise<void>): RequestHandler<any> =>
    async (req, res, next) => {
      await show(req, res).catch(async error => {
        if (error instanceof Invalid) {
          req.portal.problem = error
          return choose(req, res, next)
        }
        if (!(error instanceof Conflict)) throw error
        const offer = await port(req.portal).find(idOf(req))
        const story = await req.portal.story(req, name, offer.id)
        const [last] = story.answers
        if (last?.person === req.portal.customer.person.id && last.version === offer.version)
          return res.redirect(303, address(req, '/evidence'))
        req.portal.problem ??= error
        res.answer(`${name}/show`, {
          offer,
          [one]: offer,
          groups: grouped(offer.lines),
          ...story,
          changed: changesSinceSigned(story.signed?.evidence, contentOf(offer), req.portal),
          lineNames: lineNames(offer.lines, req.portal),
          ...shared(req.portal),
        })
      })
    }

  const showAcceptance = late(async (req, res) => {
    const { portal } = req
    const freedom = freedomOf(name, portal, port(portal))
    const { offer: found } = await waiting(req)
    const from = req.method === 'GET' ? req.query : portal.body
    const offer = withChoice(found, from, freedom)
    const options = free(offer, freedom)
    const consent = consentTo(kind, portal, offer)
    const limit = over(offer, portal)
    // Who may not sign it needs no file of it.
    const files = limit ? { paper: undefined, attached: [] } : await filesOf(port(portal), found, offer)
    const seen = markOf(offer, consent, files)
    const policy = policyOf(portal)
    const { strokes, ...typed } = z.record(z.string(), z.unknown()).catch({}).parse(portal.body)
    // Also where something else is wrong: what was shown before is not what is shown now.
    const before = !limit && typeof typed.seen === 'string' ? typed.seen : seen
    res.answer(`${name}/accept`, {
      ...{ offer, [one]: offer, groups: grouped(offer.lines), choice: choiceOf(options), choosing: choosable(options) },
      carried: carried(from, found, freedom),
      ...{
        consent,
        seen,
        limit,
        ways: policy.ways,
        typed,
        unlike:
          typeof typed.typed === 'string' && typed.typed.trim() && !fitsName(typed.typed, portal.customer.person.name),
        changed: changesSince(before, seen, files, portal.t),
        files: files.attached,
        paper: files.paper && sha256(files.paper.bytes),
        fingerprint: sha256(canonical(contentOf(offer))),
      },
      drawn: typeof strokes === 'string' && strokesIn(strokes) ? strokes : '',
      ...shared(portal),
    })
  })

  router.get('/:id/acceptance', answer, signer, showAcceptance)

  router.post(
    '/:id/acceptance',
    answer,
    signer,
    stepUp(`${name}.accept`),
    async (req, res) => {
      const { portal } = req
      const { offer, before } = await waiting(req)
      const form = read(Accepting, req)
      const shown = withChoice(offer, portal.body, freedomOf(name, portal, port(portal)))
      if (over(shown, portal)) throw new AboveLimit()
      const consent = consentTo(kind, portal, shown)
      const { signature, wrong } = signatureIn(form, policyOf(portal).ways, portal.customer.person.name)
      if (form.wished && form.wished < portal.customer.today) wrong.wished = ['Choose today or a later day.']
      if (form.agree === undefined) wrong.agree = ['Tick this box: without it nothing is accepted.']
      if (!signature || Object.keys(wrong).length) throw new Invalid(wrong, portal.body)
      const files = await filesOf(port(portal), offer, shown)
      if (form.seen !== markOf(shown, consent, files)) throw new Conflict()
      await portal.signing.sign(req, {
        section: name,
        act: 'accepted',
        before,
        document: {
          ...naming(shown),
          pdf: files.paper ?? (await paperOf(kind, shown, portal)),
          attachments: files.attached,
        },
        consent,
        signature,
        reason: null,
        order: { number: form.order || null, wishedOn: form.wished || null },
        choice: changed(offer, shown)
          ? {
              lines: shown.lines
                .filter(it => it.optional && it.id)
                .map(({ id, chosen, quantity, total }) => ({ id, chosen, quantity, total })),
              sums: shown.sums,
            }
          : null,
        still: async crm => contentOf(await (crm as Record<typeof name, Offers>)[name].find(shown.id)),
      })
      res.redirect(303, address(req, '/evidence?done'))
    },
    otherwise(showAcceptance),
  )

  const showRejection = late(async (req, res) => {
    const { offer } = await waiting(req)
    const { reason = '' } = Object(req.portal.body)
    res.answer(`${name}/decline`, { offer, [one]: offer, reason, seen: markOf(offer, ''), ...shared(req.portal) })
  })

  router.get('/:id/rejection', answer, signer, showRejection)

  router.post(
    '/:id/rejection',
    answer,
    signer,
    async (req, res) => {
      const { offer, before } = await waiting(req)
      const { reason, seen } = read(Declining, req)
      if (seen !== markOf(offer, '')) throw new Conflict()
      await req.portal.signing.sign(req, {
        section: name,
        act: 'declined',
        before,
        document: { ...naming(offer), pdf: null },
        consent: null,
        signature: null,
        reason,
        order: { number: null, wishedOn: null },
        choice: null,
        still: async crm => contentOf(await (crm as Record<typeof name, Offers>)[name].find(offer.id)),
      })
      res.redirect(303, address(req, '/evidence?done'))
    },
    otherwise(showRejection),
  )

  /** The last answer to it; by a link only to whom it is from. */
  async function answered(req: Request<any>): Promise<{ offer: Offer; row: Stored; evidence: Evidence }> {
    const offer = await port(req.portal).find(idOf(req))
    const [row] = await req.portal.signing.of(req, name, offer.id)
    const { guest, customer } = req.portal
    if (!row?.evidence || (guest && row.person_id !== customer.person.id)) throw new NotFound()
    return { offer, row, evidence: JSON.parse(row.evidence) }
  }

  router.get('/:id/evidence', see, async (req, res) => {
    const { offer, row, evidence } = await answered(req)
    const { countersigned } = await req.portal.story(req, name, offer.id)
    const { signature } = evidence
    res.answer(`${name}/evidence`, {
      offer,
      evidence,
      link: { number: row.link, hash: row.hash },
      why: row.why,
      settledAt: row.settled_at?.toISOString() ?? null,
      sealed: row.sealed !== null,
      path: signature?.way === 'drawn' ? pathOf(signature.strokes) : '',
      changes: evidence.act === 'accepted' ? changesSinceSigned(row.evidence, contentOf(offer), req.portal) : [],
      next: policyOf(req.portal)
        .next.split('\n')
        .filter(it => it.trim()),
      looks: z.coerce.number().int().min(0).catch(0).parse(req.query.looks),
      done: req.query.done === '' && row.person_id === req.portal.customer.person.id,
      ...shared(req.portal),
      countersigned: countersigned?.version === row.version ? countersigned : null,
      delivery: row.state,
    })
  })

  router.get('/:id/evidence/pdf', see, async (req, res) => {
    const { offer, row } = await answered(req)
    const bytes = row.sealed ?? row.document
    if (!bytes) throw new NotFound()
    await record(req, { event: `${name}.downloaded`, subject: offer })
    sendPdf(req, res, {
      name: req.portal.t('{document}, signed', { document: kind.says(req.portal).numbered(offer.number) }),
      bytes,
    })
  })

  router.get('/:id/evidence/bundle', see, async (req, res) => {
    const { offer, row } = await answered(req)
    await record(req, { event: `${name}.downloaded`, subject: offer })
    res
      .attachment(`evidence-${row.id}.json`)
      .set('Cache-Control', 'private, no-store')
      .type('application/json')
      .send(`${JSON.stringify(bundleOf(row), null, 2)}\n`)
  })
}

/** Whether an answer to this version is on its way to the CRM. */
export const pending = (rows: Answered[], offer: Offer) =>
  rows.find(it => it.version === offer.version && (it.state === 'saved' || it.state === 'passing'))

const text = (most: number) =>
  z
    .string()
    .trim()
    .max(most, 'This is too long.')
    .transform(it => it.toWellFormed())

export const Accepting = z.object({
  seen: z.string().catch(''),
  agree: z.string().optional().catch(undefined),
  how: z.enum(['drawn', 'typed', 'ticked']).optional().catch(undefined),
  strokes: z.string().catch(''),
  typed: text(200).catch(''),
  /** The typed name once more, where it is not the name of the account and the signer says so. */
  confirmed: text(200).optional().catch(undefined),
  order: text(60).optional(),
  wished: z.union([z.literal(''), z.iso.date('Choose a date.')], 'Choose a date.').optional(),
})

export const Declining = z.object({
  seen: z.string().catch(''),
  reason: text(2_000).pipe(z.string().min(1, 'Say in a few words why, so that there may be a better offer.')),
})

/** The signature, or by field what is wrong with it. */
function signatureIn(
  { how, strokes, typed, confirmed }: z.infer<typeof Accepting>,
  ways: readonly Signature['way'][],
  name: string,
): { signature?: Signature; wrong: Invalid['errors'] } {
  const way = how ?? (ways.length === 1 ? ways[0] : undefined)
  if (way && !ways.includes(way)) return { wrong: { choice: ['Sign in one of the ways that are offered.'] } }
  if (way === 'ticked') return { signature: { way }, wrong: {} }
  if (way === 'typed') {
    if (!typed) return { wrong: { typed: ['Type your full name.'] } }
    if (fitsName(typed, name)) return { signature: { way, text: typed, name: 'account' }, wrong: {} }
    if (confirmed === typed) return { signature: { way, text: typed, name: 'confirmed' }, wrong: {} }
    return { wrong: { typed: ['This is not the name of this account. Correct it, or confirm it below.'] } }
  }
  const drawn = way === 'drawn' ? strokesIn(strokes) : undefined
  if (drawn) return { signature: { way: 'drawn', strokes: drawn }, wrong: {} }
  return { wrong: { strokes: ['Draw your signature in the field, or type your name.'] } }
}

/** The words that are agreed to. */
const consentTo = ({ says }: Kind, visit: RequestContext, offer: Offer) =>
  consentOf(policyOf(visit), visit, {
    document: says(visit).numbered(offer.number),
    version: String(offer.version),
    total: visit.money(offer.total),
    client: visit.customer.client.name,
  })

const naming = (offer: Offer) => ({
  id: offer.id,
  version: offer.version,
  number: offer.number,
  content: contentOf(offer),
})

/** Our own print, made of what was shown. Many who accept the same at once wait for the same print. */
async function paperOf({ says }: Kind, shown: Offer, visit: RequestContext): Promise<Paper> {
  const document = printed(shown, says(visit).one, visit)
  const key = sha256(visit.workspace.id, JSON.stringify(document))
  const paper = making.get(key) ?? visit.logo().then(logo => pdfOf(document, logo, { by: '', first: true }))
  making.set(key, paper)
  return { bytes: await paper.finally(() => making.delete(key)), by: 'portal' }
}
const making = new Map<string, Promise<Buffer>>()
