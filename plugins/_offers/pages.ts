import type { Request, RequestHandler, Router } from 'express'
import { isAboveLimit } from '../../src/auth/approval-limit.ts'
import { grouped } from '../../src/crm/document.ts'
import { lineNames } from '../../src/crm/line-names.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { pdfOf } from '../../src/pdf/pdf.ts'
import { printTurnOf, recordDownload, sendFile, sendPdf } from '../../src/pdf/print.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { may } from '../../src/plugin/permissions.ts'
import { Filter } from './api.ts'
import { contentOf, type SignedSummary, since, summarized } from './content.ts'
import { downPaymentFor } from './down-payment.ts'
import type { Kind } from './kind.ts'
import type { Offer } from './port.ts'
import { printed } from './print.ts'
import { isSelectable, selectionOf } from './selection.ts'
import {
  offerAsPossible,
  offerAsSelected,
  type SelectionRules,
  selectionParams,
  selectionRulesOf,
  withSelectableLines,
} from './selection-params.ts'
import { changesSinceSigned, listedOtherwise } from './since-signed.ts'
import { pending } from './waiting.ts'

/**
 * Registers the list, the document and its files. Returns the document's page, which also shows what is wrong with a
 * selection.
 */
export function offerPages(router: Router, kind: Kind): RequestHandler<any> {
  const see = may(`${kind.name}.see`)
  const show = showOne(kind)
  router.get('/', see, showList(kind))
  router.get('/:id', see, show)
  router.get('/:id/attachments/:attachment', see, sendAttachment(kind))
  router.get('/:id/pdf', see, sendPrint(kind))
  return show
}

const showList =
  ({ name, port, shared }: Kind): RequestHandler<any> =>
  async (req, res) => {
    const filter = Filter.parse(req.query)
    const offers = port(req.portal)
    const [page, overview, found, underway] = await Promise.all([
      offers.list(filter),
      offers.overview(),
      filter.search ? offers.counts?.(filter.search) : undefined,
      req.portal.signing.underway(req.portal, name),
    ])
    const accepted = page.items.filter(it => it.status === 'accepted').map(it => it.id)
    const signed = await req.portal.signing.listed<SignedSummary>(req, name, accepted, summarized)
    const items = page.items.map(it => ({
      ...it,
      changed: listedOtherwise(signed.get(it.id), it, req.portal),
      ...(it.status === 'open' && underway.has(it.id) ? { underway: underway.get(it.id)?.act } : {}),
    }))
    const waiting = Math.max(0, overview.counts.open - underway.size)
    // The CRM's sum still has what was answered and is on its way.
    const amounts = underway.size ? [] : overview.waiting
    res.respond(`${name}/list`, { filter, overview, found, ...page, items, waiting, amounts, ...shared(req.portal) })
  }

const showOne = (kind: Kind): RequestHandler<any> => {
  const { name, one, port, shared } = kind
  return async (req, res) => {
    const offers = port(req.portal)
    const [found, documentHistory, filled] = await Promise.all([
      offers.find(String(req.params.id)),
      req.portal.documentHistory(req, name, String(req.params.id)),
      req.portal.fillSlots(req, 'subject'),
    ])
    const rules = selectionRulesOf(name, req.portal, offers)
    const whole = withSelectableLines(found, rules)
    const from = req.method === 'GET' ? req.query : req.portal.body
    const offer = chosenOr(found, from, req.portal, rules)
    const open = found.status === 'open' && !pending(documentHistory.responses, found)
    const content = contentOf(found)
    const [before, downPayment] = await Promise.all([
      open ? req.portal.viewedVersions(req, { section: name, ...found, content }, documentHistory.seen) : undefined,
      downPaymentFor(req.portal, name, offer),
      isLook(req) && recordEvent(req, { event: `${name}.viewed`, subject: found }),
    ])
    res.respond(`${name}/show`, {
      ...{ offer, [one]: offer, groups: grouped(leftInPlace(offer, found)), selection: selectionOf(offer) },
      ...documentHistory,
      ...documentHistory.attached,
      ...filled,
      answerable: open && (offers.respond || offers.submit) && req.portal.on(`${name}.responses`),
      limit: isAboveLimit(offer, req.portal),
      selecting: open && isSelectable(whole) && req.portal.may(`${name}.respond`),
      leavable: whole.lines.filter((it, at) => it.optional && !found.lines[at]?.optional).map(it => it.id),
      since: since(before, content, req.portal),
      changed: changesSinceSigned(documentHistory.signed?.evidence, content, req.portal),
      asked: req.query.asked === '',
      hiddenFields: selectionParams(from, found, rules),
      lineNames: lineNames(found.lines, req.portal),
      downPayment,
      ...shared(req.portal),
    })
  }
}

/** To choose something of it, or to be told what is wrong, is not to look at it once more; a link of a mail is. */
const isLook = (req: Request<any>) => req.method === 'GET' && (!req.query.options || req.query.client)

/** What is left out stays where it was while it may be taken in again. */
const leftInPlace = (offer: Offer, found: Offer) =>
  offer.lines.map((it, at) => ({ ...it, optional: found.lines[at]?.optional ?? it.optional }))

/** A wrong query in the address shows the default, not an error. */
function chosenOr(offer: Offer, query: unknown, context: RequestContext, rules: SelectionRules): Offer {
  try {
    return offerAsSelected(offer, query, rules)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    context.problem = error
    return offerAsPossible(offer, query, rules)
  }
}

const sendAttachment =
  ({ name, port }: Kind): RequestHandler<any> =>
  async (req, res) => {
    const offers = port(req.portal)
    const offer = await offers.find(String(req.params.id))
    const it = offer.attachments?.find(it => it.id === req.params.attachment)
    if (!it || !offers.attachment) throw new NotFound()
    const bytes = await offers.attachment(offer.id, it.id)
    const { id, number } = offer
    await recordEvent(req, { event: `${name}.attachment_downloaded`, subject: { id, number, file: it.name } })
    sendFile(res, it, bytes)
  }

/** The CRM's own paper, or our print. */
const sendPrint =
  ({ name, port, labels }: Kind): RequestHandler<any> =>
  async (req, res) => {
    const offers = port(req.portal)
    const offer = await offers.find(String(req.params.id))
    const { one, numbered } = labels(req.portal)
    const own = await offers.pdf?.(offer.id)
    const pdf = own ?? {
      name: numbered(offer.number),
      bytes: await pdfOf(printed(offer, one, req.portal), await req.portal.logo(), printTurnOf(req)),
    }
    await recordDownload(req, { event: `${name}.downloaded`, subject: offer })
    sendPdf(req, res, pdf)
  }
