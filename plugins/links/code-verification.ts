import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Guest } from '../../src/auth/guest.ts'
import { type MailContext, sendMail, withMail } from '../../src/auth/mail-context.ts'
import { fieldsOf, withoutStepUpFields } from '../../src/auth/step-up.ts'
import { issueToken } from '../../src/auth/tokens.ts'
import { verifyTypedCode } from '../../src/auth/typed-code.ts'
import { Invalid, NotFound, RateLimited, VerificationRequired } from '../../src/http/errors.ts'
import { recordEvent } from '../../src/platform/activity.ts'
import { addressOf, contactOf, type guestContexts, idOf, type Parts, placeOf, recipientOf } from './guest.ts'
import { saveLinkSession } from './link-session.ts'

/** How long a proof counts for signing, in milliseconds, and how long a code for one is good, in minutes. */
const remembered = 10 * 60_000
const good = 10

/**
 * Requires that the visitor was verified as a contact of the client in the last ten minutes, by a mailed code.
 * Otherwise it asks for a code and carries the form along. It does not reveal which addresses are known.
 */
export const requireCode =
  (parts: Parts, contextFor: ReturnType<typeof guestContexts>) =>
  async (req: Request<any>, res: Response, next: (error?: unknown) => void) => {
    const { body, guest } = req.portal
    const mailContext = parts.mailContext
    if (!guest || !mailContext) throw new NotFound()
    const given = Given.parse(Object(body))
    if (body) req.portal.body = withoutStepUpFields(body)
    if (guest.known && (guest.ticket.proof?.at ?? 0) > req.portal.now.getTime() - remembered) return next()
    let sent = given['step-up.id']
    req.portal.problem = new VerificationRequired()
    try {
      if (given['step-up.show']) sent = await send(parts, mailContext, req, guest, given['step-up.email'])
      else if (sent && given['step-up.code']) {
        const ticket = await verifyCode(parts, mailContext, req, guest, sent, given['step-up.code'])
        saveLinkSession(req, res, ticket, req.portal.url(placeOf(guest.link)), parts.secrets)
        req.portal = { ...(await contextFor(req, guest.link, ticket)), problem: undefined }
        const { link } = guest
        await recordEvent(req, { event: 'links.verified', subject: { id: link.document, number: link.number } })
        return next()
      }
    } catch (error) {
      if (!(error instanceof Invalid || error instanceof RateLimited)) throw error
      if (error instanceof RateLimited) res.set('Retry-After', String(error.seconds))
      req.portal.problem = error
    }
    await askForCode(parts, req, res, { sent, email: given['step-up.email'] })
  }

/**
 * The page that identifies a visitor: first an e-mail address, then the code that was mailed there. Whoever got the link
 * by mail types no address.
 */
export async function askForCode(parts: Parts, req: Request<any>, res: Response, { sent = '', email = '' } = {}) {
  const { guest, url } = req.portal
  const { link } = guest!
  const recipient = email ? undefined : await recipientOf(parts, req, link)
  const typed = req.method !== 'GET'
  res.respond('links/code', {
    sent,
    email,
    recipient: recipient && masked(recipient.contact.email),
    looking: link.coded && !guest!.known,
    mails: guest!.mails,
    address: typed ? req.originalUrl : url(`${placeOf(link)}/code`),
    fields: typed ? fieldsOf(req.portal.body) : [['next', req.originalUrl]],
    document: addressOf(link),
  })
}

/** `n•••@acme.example`: the link may have been passed on. */
const masked = (email: string) => email.replace(/^(.)[^@]*/u, '$1•••')

/** The same fields as of a step up, so that they are carried and left out alike. */
const Given = z.object({
  'step-up.show': z.literal('code').optional().catch(undefined),
  'step-up.email': z.string().trim().toLowerCase().max(320).catch(''),
  'step-up.code': z.string().catch(''),
  'step-up.id': z.uuid().optional().catch(undefined),
})

/** The request that the code belongs to. As much is done for an address that is no contact's. */
async function send(parts: Parts, mailContext: MailContext, req: Request<any>, { link, ticket }: Guest, typed: string) {
  const email = typed || (await recipientOf(parts, req, link))?.contact.email.toLowerCase()
  if (!email) throw new Invalid({ 'step-up.email': ['Enter your e-mail address.'] }, {})
  await mailContext.limits.count(req, { mail: `link ${email}` })
  const contact = (await contactOf(parts, req, link, email))?.contact
  return withMail(mailContext, req, async tx => {
    const { id, code } = await issueToken(tx, {
      workspace: req.portal.workspace.id,
      kind: 'link',
      person: contact && idOf(contact, link),
      email,
      minutes: good,
      secret: secretOf(mailContext, ticket),
    })
    const to = contact && { email: contact.email, name: contact.name, language: contact.language }
    await sendMail(mailContext, req, tx, 'links.code', to, { facts: { minutes: good }, code })
    return id
  })
}

/** The link session after the code was verified. Throws Invalid. */
async function verifyCode(
  parts: Parts,
  mailContext: MailContext,
  req: Request<any>,
  { link, ticket }: Guest,
  id: string,
  typed: string,
) {
  const asked = { kind: 'link' as const, id, code: typed, secret: secretOf(mailContext, ticket) }
  const { used, succeeded } = await verifyTypedCode(mailContext, req, asked)
  const known = used && (await contactOf(parts, req, link, used.email, it => idOf(it, link) === used.person))
  if (!known) throw new Invalid({ 'step-up.code': ['This code is wrong or has expired.'] }, {})
  await succeeded()
  return { ...ticket, proof: { contact: known.contact.id, email: used.email, at: req.portal.now.getTime() } }
}

/** A code is good in the browser where it was asked for. */
const secretOf = ({ secrets: [secret = ''] }: MailContext, { browser }: Guest['ticket']) => `${secret} ${browser}`
