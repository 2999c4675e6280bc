import type { Request, Response } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import { carried, fieldsOf } from '../auth/step-up.ts'
import { issue } from '../auth/tokens.ts'
import { tryCode } from '../auth/typed-code.ts'
import { mailing, type Ways, write } from '../auth/way.ts'
import { Invalid, NotFound, ProofNeeded, TooOften } from '../errors.ts'
import { addressOf, contactOf, type entering, type Guest, idOf, type Parts, placeOf } from './guest.ts'
import { giveTicket } from './ticket.ts'

/** How long a proof counts for signing, in milliseconds, and how long a code for one is good, in minutes. */
const remembered = 10 * 60_000
const good = 10

/**
 * Goes on where whoever came by a link has shown within ten minutes, by a code in their mail, which contact of the
 * client they are; asks for it else, and carries the form along. Nobody learns from it which addresses are known.
 */
export const proving =
  (parts: Parts, enter: ReturnType<typeof entering>) =>
  async (req: Request<any>, res: Response, next: (error?: unknown) => void) => {
    const { body, guest } = req.portal
    const ways = parts.mailed
    if (!guest || !ways) throw new NotFound()
    const given = Given.parse(Object(body))
    if (body) req.portal.body = carried(body)
    if (guest.known && (guest.ticket.proof?.at ?? 0) > req.portal.now.getTime() - remembered) return next()
    let sent = given['step-up.id']
    req.portal.problem = new ProofNeeded()
    try {
      if (given['step-up.show']) sent = await send(parts, ways, req, guest, given['step-up.email'])
      else if (sent && given['step-up.code']) {
        const ticket = await prove(parts, ways, req, guest, sent, given['step-up.code'])
        giveTicket(req, res, ticket, req.portal.url(placeOf(guest.link)), parts.secrets)
        await enter(req, guest.link, ticket)
        req.portal.problem = undefined
        const { link } = guest
        await record(req, { event: 'links.proven', subject: { id: link.document, number: link.number } })
        return next()
      }
    } catch (error) {
      if (!(error instanceof Invalid || error instanceof TooOften)) throw error
      if (error instanceof TooOften) res.set('Retry-After', String(error.seconds))
      req.portal.problem = error
    }
    askForCode(req, res, { sent, email: given['step-up.email'] })
  }

/** The page that asks whose browser this is: for an address, and then for the code that was mailed there. */
export function askForCode(req: Request<any>, res: Response, { sent = '', email = '' } = {}) {
  const { guest, url } = req.portal
  const { link } = guest!
  const typed = req.method !== 'GET'
  res.answer('link/code', {
    ...{ sent, email, looking: link.coded && !guest!.known, mails: guest!.mails },
    address: typed ? req.originalUrl : url(`${placeOf(link)}/code`),
    fields: typed ? fieldsOf(req.portal.body) : [['next', req.originalUrl]],
    document: addressOf(link),
  })
}

/** The same fields as of a step up, so that they are carried and left out alike. */
const Given = z.object({
  'step-up.show': z.literal('code').optional().catch(undefined),
  'step-up.email': z.string().trim().toLowerCase().max(320).catch(''),
  'step-up.code': z.string().catch(''),
  'step-up.id': z.uuid().optional().catch(undefined),
})

/** The request that the code belongs to. As much is done for an address that is no contact's. */
async function send(parts: Parts, ways: Ways, req: Request<any>, { link, ticket }: Guest, email: string) {
  if (!email) throw new Invalid({ 'step-up.email': ['Type your e-mail address.'] }, {})
  await ways.limits.count(req, { mail: `link ${email}` })
  const contact = (await contactOf(parts, req, link, email))?.contact
  return mailing(ways, req, async tx => {
    const { id, code } = await issue(tx, {
      ...{ workspace: req.portal.workspace.id, kind: 'link', person: contact && idOf(contact, link), email },
      ...{ minutes: good, secret: secretOf(ways, ticket) },
    })
    const to = contact && { email: contact.email, name: contact.name, language: contact.language }
    await write(ways, req, tx, 'link-code', to, { facts: { minutes: good }, code })
    return id
  })
}

/** The browser's ticket once it is known whose it is. Throws Invalid. */
async function prove(parts: Parts, ways: Ways, req: Request<any>, { link, ticket }: Guest, id: string, typed: string) {
  const asked = { kind: 'link' as const, id, code: typed, secret: secretOf(ways, ticket) }
  const { used, succeeded } = await tryCode(ways, req, asked)
  const known = used && (await contactOf(parts, req, link, used.email, it => idOf(it, link) === used.person))
  if (!known) throw new Invalid({ 'step-up.code': ['This code is wrong, was used, or its time is over.'] }, {})
  await succeeded()
  return { ...ticket, proof: { contact: known.contact.id, email: used.email, at: req.portal.now.getTime() } }
}

/** A code is good in the browser where it was asked for. */
const secretOf = ({ secrets: [secret = ''] }: Ways, { browser }: Guest['ticket']) => `${secret} ${browser}`
