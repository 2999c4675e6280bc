import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Gone } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { within } from '../platform/database.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { accountOf, isSwitchedOff, maySignIn } from './people.ts'
import { refuseSignIn, signIn } from './sign-in.ts'
import type { Authenticate, ClientUsers } from './strategies.ts'
import { findToken, issueToken } from './tokens.ts'

/** How long a code and its link are valid, in minutes. */
const validMinutes = 10

interface Parts extends MailContext {
  authenticate: Authenticate<ClientUsers>
}

/**
 * Signs in by a six-digit code or a link from the same mail. The link opens a page with a button, so mail scanners that
 * open it do not use it up. Responses do not reveal which addresses have an account.
 */
export function codeRoutes(parts: Parts): Router {
  const { authenticate, ...mailContext } = parts
  const router = Router()
  const path = '/sign-in/code/:request'

  router.post('/sign-in/code', anybody, requestCode(mailContext), showAgainOnError(showRequested))
  router.get('/sign-in/code', anybody, (req, res) => showRequestedWith(req, res, req.query.next ?? ''))
  router.get(path, anybody, showCode)
  router.post(path, anybody, signInByCode(authenticate, mailContext), showAgainOnError(showCode))
  router.get('/sign-in/link/:token', anybody, showLink(mailContext.database))
  router.post('/sign-in/link/:token', anybody, signInByLink(authenticate, mailContext))
  return router
}

const requestCode =
  (mailContext: MailContext): RequestHandler =>
  async (req, res) => {
    const { email, next } = read(Asked, req)
    const id = await sendCode(mailContext, req, email)
    res.redirect(303, req.portal.url(`/sign-in/code/${id}${next ? `?${new URLSearchParams({ next })}` : ''}`))
  }

const showRequested: RequestHandler = (req, res) => showRequestedWith(req, res, '')

async function showRequestedWith(req: Request<any>, res: Response, next: unknown) {
  const filled = await req.portal.fillSlots(req, 'sign-in')
  req.portal.frame = 'bare'
  res.respond('auth/code-requested', { next, ...filled })
}

const signInByCode =
  (authenticate: Parts['authenticate'], mailContext: MailContext): RequestHandler<any> =>
  async (req, res) => {
    const { code, next } = read(Typed, req)
    const request = z.uuid().safeParse(req.params.request).data
    const found = await authenticate(req, 'code', { body: { request, code } })
    if (!found.account) return refuseSignIn(req, '', 'code', found.reason, { next })
    await found.succeeded()
    const { account } = found
    const verifications = [{ by: 'code' as const, at: req.portal.now.getTime() }]
    await signIn({ database: mailContext.database, mailContext }, req, res, { account, next, verifications })
  }

const showLink =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(database, { workspace }, tx => findToken(tx, workspace, 'sign-in', req.params.token))
    req.portal.frame = 'bare'
    res.respond('auth/link', { email })
  }

const signInByLink =
  (authenticate: Parts['authenticate'], mailContext: MailContext): RequestHandler<any> =>
  async (req, res) => {
    const { account } = await authenticate(req, 'link', { body: { token: String(req.params.token) } })
    if (!account) throw new Gone({ path: '/sign-in/code', label: 'Send me a new link' })
    const verifications = [{ by: 'link' as const, at: req.portal.now.getTime() }]
    await signIn({ database: mailContext.database, mailContext }, req, res, { account, next: undefined, verifications })
  }

/**
 * Mails a code and a link to the account of this address, if there is one. Returns the id of the request that the code
 * belongs to.
 */
export async function sendCode(mailContext: MailContext, req: Request<any>, email: string): Promise<string> {
  const [secret = ''] = mailContext.secrets
  await mailContext.limits.count(req, { mail: email })
  const workspace = req.portal.workspace.id
  return withMail(mailContext, req, async tx => {
    const account = await accountOf(tx, workspace, email)
    // Who is switched off gets a code too, and reads why when they enter it.
    const known = maySignIn(account) || isSwitchedOff(account) ? account : undefined
    const asked = { workspace, kind: 'sign-in' as const, person: known?.id, email, minutes: validMinutes, secret }
    const { id, token, code } = await issueToken(tx, asked)
    await sendMail(mailContext, req, tx, 'sign-in', known && { ...known, person: known.id }, {
      facts: { minutes: validMinutes },
      code,
      url: linkTo(mailContext, req, `/sign-in/link/${token}`),
    })
    return id
  })
}

const Asked = z.object({
  email: z.string('Enter your e-mail address.').trim().toLowerCase().max(320).min(1, 'Enter your e-mail address.'),
  next: z.string().optional().catch(undefined),
})

const Typed = z.object({
  code: z
    .string('Enter the code from the e-mail.')
    .transform(it => it.replace(/[\s-]/g, ''))
    .pipe(z.string().regex(/^\d{6}$/, 'Enter the six digits from the e-mail.')),
  next: z.string().optional().catch(undefined),
})

const showCode: RequestHandler<any> = async (req, res) => {
  const { problem } = req.portal
  const typed = (problem as { typed?: { next?: string } } | undefined)?.typed
  const filled = await req.portal.fillSlots(req, 'sign-in-code')
  req.portal.frame = 'bare'
  res.respond('auth/code', { next: typed?.next ?? req.query.next ?? '', request: req.params.request, ...filled })
}
