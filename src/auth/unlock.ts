import { type Request, type RequestHandler, Router } from 'express'
import { RateLimited } from '../http/errors.ts'
import { anybody } from '../http/rules.ts'
import { within } from '../platform/database.ts'
import { linkTo, type MailContext, sendMail, withMail } from './mail-context.ts'
import { accountOf, maySignIn } from './people.ts'
import { findToken, issueToken, useToken } from './tokens.ts'

/** How long a link is valid, in minutes: a little longer than most locks last. */
const validMinutes = 60

/**
 * Unlocks an account. Too many attempts lock an account for new sign-ins; its sessions stay (OWASP ASVS 5.0, 6.3.1).
 * The owner gets a link that resets the count, at most once an hour. Unknown addresses get the same response.
 */
export function unlockRoutes(mailContext: MailContext): Router {
  const router = Router()

  const show: RequestHandler<any> = async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(mailContext.database, { workspace }, tx =>
      findToken(tx, workspace, 'unlock', req.params.token),
    )
    req.portal.frame = 'bare'
    res.respond('auth/unlock', { email })
  }

  router.get('/unlock/:token', anybody, show)

  router.post('/unlock/:token', anybody, async (req, res) => {
    const workspace = req.portal.workspace.id
    const { email } = await within(mailContext.database, { workspace }, tx =>
      useToken(tx, workspace, 'unlock', String(req.params.token)),
    )
    await mailContext.limits.forget(req, email)
    res.redirect(303, req.portal.url('/sign-in?unlocked'))
  })

  return router
}

/**
 * Returns the result of counting. If the account is locked, mails its owner, and says so in the error for everybody.
 */
export async function mailUnlock<T>(
  mailContext: MailContext,
  req: Request<any>,
  email: string,
  counted: Promise<T>,
): Promise<T> {
  try {
    return await counted
  } catch (error) {
    if (error instanceof RateLimited && error.limit === 'account' && error.seconds > 60) {
      if (await mailContext.limits.once(req, email)) await mail(mailContext, req, email)
      error.mailContext = true
    }
    throw error
  }
}

const mail = (mailContext: MailContext, req: Request<any>, email: string) =>
  withMail(mailContext, req, async tx => {
    const { workspace } = req.portal
    const account = await accountOf(tx, workspace.id, email)
    const known = maySignIn(account) ? account : undefined
    const [secret = ''] = mailContext.secrets
    const { token } = await issueToken(tx, {
      ...{ workspace: workspace.id, kind: 'unlock', person: known?.id, email, minutes: validMinutes, secret },
    })
    await sendMail(mailContext, req, tx, 'unlock', known && { ...known, person: known.id }, {
      url: linkTo(mailContext, req, `/unlock/${token}`),
    })
  })
