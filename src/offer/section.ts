import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import { otherwise } from '../answer.ts'
import type { RequestContext } from '../context.ts'
import { daysBetween, grouped } from '../document.ts'
import { Conflict, Invalid, NotFound } from '../errors.ts'
import { Evidence } from '../evidence/shape.ts'
import { filterOf } from '../filter.ts'
import { Money } from '../money.ts'
import { pageOf } from '../page.ts'
import { pdfOf } from '../pdf/pdf.ts'
import { sendFile, sendPdf, taken, turnOf } from '../pdf/print.ts'
import { may, type Permission, type Section, type StepUp } from '../section.ts'
import { askApprovers } from '../talk/asking.ts'
import { say } from '../talk/comments.ts'
import { lineNames } from '../talk/line-names.ts'
import { Comment } from '../talk/story.ts'
import { Accepting, answering, Declining, pending } from './answering.ts'
import { choiceOf, choosable } from './choice.ts'
import { asChosen, carried, type Freedom, free, freedomOf, withChoice } from './choosing.ts'
import { type Content, contentOf, Difference, offerOf, Since, since } from './content.ts'
import type { Kind } from './kind.ts'
import { over } from './limit.ts'
import { Offer, type Offers, Overview, Summary, sorts, statuses } from './port.ts'
import { printed } from './print.ts'
import { changesSinceSigned, listedOtherwise } from './since-signed.ts'
import { words } from './words.ts'

const Filter = filterOf({ statuses, sorts })

/** In a list; `changed` where its number, title, total or last day is other in the CRM than it was signed. */
const Listed = Summary.extend({ changed: z.boolean().default(false) })

/** A section for what the company offers and a client may take: proposals and quotations differ in words, not in ways. */
export function offerSection(kind: Kind): Section {
  const { name, title, icon, order, see, answer, toggle, activity, says } = kind
  const one = name.slice(0, -1)
  const port = (visit: RequestContext): Offers => (visit.crm as Record<typeof name, Offers>)[name]

  return {
    name,
    title,
    icon,
    order,
    permissions: {
      ...keyed<Permission>(`${name}.see`, { label: see, roles: ['admin', 'approver', 'member', 'viewer'] }),
      ...keyed<Permission>(`${name}.answer`, { label: answer, roles: ['admin', 'approver'] }),
      ...keyed<Permission>(`${name}.comment`, { label: kind.comment, roles: ['admin', 'approver', 'member'] }),
    },
    stepUps: keyed<StepUp>(`${name}.accept`, { label: kind.accepting, rung: 'none' }),
    toggles: {
      [name]: { ...toggle, default: true },
      [`${name}.answers`]: { ...kind.answering, default: true },
      [`${name}.quantities`]: { ...kind.quantities, default: false },
      [`${name}.parts`]: { ...kind.parts, default: false },
      [`${name}.questions`]: { ...kind.questions, default: true },
      [`${name}.reminders`]: { ...kind.reminders, default: true },
      [`${name}.links`]: { ...kind.links, default: false },
    },
    answers: {
      [`${name}/list`]: pageOf(Listed).extend({ overview: Overview }),
      [`${name}/show`]: z.object({
        ...{ [one]: Offer, comments: z.array(Comment).default([]), since: Since.nullable().default(null) },
        /** What is other in the CRM than it was signed. */
        changed: z.array(Difference).default([]),
      }),
      [`${name}/accept`]: z.object({
        ...{ [one]: Offer, ways: z.array(z.string()), consent: z.string(), seen: z.string(), fingerprint: z.string() },
        /** Of the person, where it is below the total. */
        limit: Money.nullable(),
        /** What is attached, as it is now: `seen` stands for these bytes as well. */
        files: z.array(z.object({ id: z.string(), name: z.string(), bytes: z.int(), sha256: z.string() })).default([]),
        /** SHA-256 of the CRM's own PDF, where that is what is signed. */
        paper: z.string().optional(),
        /** In a conflict, what is other than the `seen` that was sent. */
        changed: z.array(z.string()).default([]),
      }),
      [`${name}/decline`]: z.object({ [one]: Offer, seen: z.string() }),
      [`${name}/evidence`]: z.object({
        evidence: Evidence,
        link: z.object({ number: z.int(), hash: z.string() }),
        delivery: z.enum(['saved', 'passing', 'confirmed', 'refused', 'superseded']),
        why: z.string().nullable(),
        sealed: z.boolean(),
      }),
    },
    activity: Object.fromEntries(Object.entries(activity).map(([event, words]) => [`${name}.${event}`, words])),
    signed: (content, visit) => {
      const offer = offerOf(content as Content, 'accepted')
      return printed(offer, says(visit).one, visit)
    },
    link: {
      toggle: `${name}.links`,
      opens: [
        ...['', '/pdf', '/attachments/:attachment'],
        ...['/acceptance', '/rejection', '/evidence', '/evidence/pdf', '/evidence/bundle'],
      ].map(it => `/:id${it}`),
      may: [`${name}.see`, `${name}.answer`],
      without: [`${name}.questions`],
      withoutCode: [`${name}.answers`],
    },
    asks: { [`${name}/list`]: Filter, [`${name}/accept`]: Accepting, [`${name}/decline`]: Declining },
    views: { acceptance: 'accept', rejection: 'decline' },

    async home(visit) {
      const { items, next } = await port(visit).list({ status: 'open', sort: 'urgent', size: 5 })
      const { today } = visit.customer
      const { numbered, held, answer } = says(visit)
      return {
        needs: items.map(({ id, number, title, total, validUntil }) => ({
          tone: validUntil && daysBetween(today, validUntil) < 7 ? 'warn' : '',
          icon,
          title,
          about: validUntil ? held(number, visit.day(validUntil)) : numbered(number),
          amount: [total],
          path: `/${name}/${id}`,
          action: 'Review',
          by: validUntil ?? '9999-12-31',
        })),
        figures: [],
        actions: [{ icon, title: answer, path: `/${name}?status=open`, count: items.length, more: next !== null }],
      }
    },

    routes(router) {
      const rule = may(`${name}.see`)
      const shared = (visit: RequestContext) => ({ kind: name, symbol: icon, says: says(visit), ...words(visit) })

      router.get('/', rule, async (req, res) => {
        const filter = Filter.parse(req.query)
        const offers = port(req.portal)
        const [page, overview] = await Promise.all([offers.list(filter), offers.overview()])
        const accepted = page.items.filter(it => it.status === 'accepted').map(it => it.id)
        const signed = await req.portal.signing.listed(req, name, accepted)
        const items = page.items.map(it => ({ ...it, changed: listedOtherwise(signed.get(it.id), it, req.portal) }))
        res.answer(`${name}/list`, { filter, overview, ...page, items, ...shared(req.portal) })
      })

      const show: RequestHandler<any> = async (req, res) => {
        const offers = port(req.portal)
        const [found, story] = await Promise.all([
          offers.find(String(req.params.id)),
          req.portal.story(req, name, String(req.params.id)),
        ])
        const freedom = freedomOf(name, req.portal, offers)
        const whole = free(found, freedom)
        const from = req.method === 'GET' ? req.query : req.portal.body
        const offer = chosenOr(found, from, req.portal, freedom)
        // What is left out stays where it was while it may be taken in again.
        const lines = offer.lines.map((it, at) => ({ ...it, optional: found.lines[at]?.optional ?? it.optional }))
        const open = found.status === 'open' && !pending(story.answers, found)
        const content = contentOf(found)
        const [before] = await Promise.all([
          open ? req.portal.earlier(req, { section: name, ...found, content }, story.seen) : undefined,
          // To choose something of it, or to be told what is wrong, is not to look at it once more; a link of a mail is.
          req.method === 'GET' &&
            (!req.query.options || req.query.client) &&
            record(req, { event: `${name}.viewed`, subject: found }),
        ])
        res.answer(`${name}/show`, {
          ...{ offer, [one]: offer, groups: grouped(lines), choice: choiceOf(offer), ...story },
          answerable: open && (offers.answer || offers.passOn) && req.portal.on(`${name}.answers`),
          limit: over(offer, req.portal),
          choosing: open && choosable(whole) && req.portal.may(`${name}.answer`),
          leavable: whole.lines.filter((it, at) => it.optional && !found.lines[at]?.optional).map(it => it.id),
          since: since(before, content, req.portal),
          changed: changesSinceSigned(story.signed?.evidence, content, req.portal),
          asked: req.query.asked === '',
          carried: carried(from, found, freedom),
          lineNames: lineNames(found.lines, req.portal),
          ...shared(req.portal),
        })
      }
      router.get('/:id', rule, show)

      const talks = (req: Request<any>) => req.portal.on(`${name}.questions`)
      const address = (req: Request<any>, rest: string) =>
        req.portal.url(`/${name}/${encodeURIComponent(req.params.id)}${rest}`)

      router.post(
        '/:id/comments',
        may(`${name}.comment`),
        async (req, res) => {
          const offers = port(req.portal)
          const found = await offers.find(String(req.params.id))
          if (!talks(req)) throw new NotFound()
          const { id, number, lines } = found
          const titles = lines.map(it => it.title)
          await say(req, { section: name, id, number, titles, lines: lineNames(lines, req.portal) })
          const choice = carried(req.portal.body, found, freedomOf(name, req.portal, offers))
          res.redirect(303, address(req, `${choice.size ? `?${choice}` : ''}#talk`))
        },
        otherwise(show),
      )

      router.post(
        '/:id/request',
        may(`${name}.comment`),
        async (req, res) => {
          const offers = port(req.portal)
          const found = await offers.find(String(req.params.id))
          if (!(offers.answer || offers.passOn) || !req.portal.on(`${name}.answers`)) throw new NotFound()
          if (found.status !== 'open') throw new Conflict()
          const freedom = freedomOf(name, req.portal, offers)
          const { id, number, title, total } = withChoice(found, req.portal.body, freedom)
          const choice = carried(req.portal.body, found, freedom)
          const asked = { section: name, id, number, title, total, choice }
          await askApprovers(req, req.portal.mailed, asked)
          res.redirect(303, address(req, `?${['asked', ...(choice.size ? [choice] : [])].join('&')}`))
        },
        otherwise(show),
      )

      answering(router, { kind, port, shared, choose: show })

      router.get('/:id/attachments/:attachment', rule, async (req, res) => {
        const offers = port(req.portal)
        const offer = await offers.find(String(req.params.id))
        const it = offer.attachments?.find(it => it.id === req.params.attachment)
        if (!it || !offers.attachment) throw new NotFound()
        const bytes = await offers.attachment(offer.id, it.id)
        const { id, number } = offer
        await record(req, { event: `${name}.took`, subject: { id, number, file: it.name } })
        sendFile(res, it, bytes)
      })

      router.get('/:id/pdf', rule, async (req, res) => {
        const offers = port(req.portal)
        const offer = await offers.find(String(req.params.id))
        const { one, numbered } = says(req.portal)
        const own = await offers.pdf?.(offer.id)
        const pdf = own ?? {
          name: numbered(offer.number),
          bytes: await pdfOf(printed(offer, one, req.portal), await req.portal.logo(), turnOf(req)),
        }
        await taken(req, { event: `${name}.downloaded`, subject: offer })
        sendPdf(req, res, pdf)
      })
    },
  }
}

const keyed = <T>(name: `${string}.${string}`, it: T): Record<`${string}.${string}`, T> => ({ [name]: it })

/** What somebody typed into the address is no reason for an error page. */
function chosenOr(offer: Offer, query: unknown, visit: RequestContext, freedom: Freedom): Offer {
  try {
    return withChoice(offer, query, freedom)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    visit.problem = error
    return asChosen(offer, query, freedom)
  }
}
