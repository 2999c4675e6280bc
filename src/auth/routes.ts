import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import type { Crm } from '../crm/crm.ts'
import { Invalid, NotFound, RateLimited } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { forgetForm } from '../http/kept-forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { recordEvent } from '../platform/activity.ts'
import type { Jobs } from '../platform/jobs.ts'
import type { Log } from '../platform/log.ts'
import type { PlaceOf } from '../platform/places.ts'
import { accountRoutes } from './account.ts'
import { confirmed } from './address.ts'
import { codeRoutes } from './codes.ts'
import { devices } from './devices.ts'
import type { FactorOwners } from './factor-owners.ts'
import { invitationRoutes } from './invitation-routes.ts'
import type { MailContext } from './mail-context.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import type { Passkeys } from './passkeys.ts'
import { profileRoutes } from './profile.ts'
import { registrationRoutes } from './register.ts'
import { passwordResetRoutes } from './reset.ts'
import { secondFactorRoutes } from './second-factor.ts'
import { endSession } from './sessions.ts'
import { refuseSignIn, rememberedSignInMethod, safeRedirect, signIn } from './sign-in.ts'
import { offeredStrategies, signInMethodsOf } from './sign-in-methods.ts'
import type { SignInStrategy } from './sign-in-strategy.ts'
import { signInWith } from './sign-in-with.ts'
import type { Authenticate, ClientUsers } from './strategies.ts'
import { mailUnlock, unlockRoutes } from './unlock.ts'

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  authenticate: Authenticate<ClientUsers>
  holders: FactorOwners
  keys: Passkeys
  log: Log
  mailContext: (MailContext & { jobs: Jobs }) | undefined
  /** The CRM's own strategies. */
  strategies: SignInStrategy[]
  /** The address where clients find the portal. */
  address: string | undefined
  crm: Crm
  placeOf: PlaceOf
}

/** Signing in and out of one workspace's portal. */
export function authRoutes(parts: Parts): Router {
  const { authenticate, crm, database, holders, keys, limits, mailContext, placeOf, secrets, strategies } = parts
  const router = Router()
  const show = showSignIn(parts)

  router.get('/sign-in', anybody, skipIfSignedIn, show)
  router.post('/sign-in', anybody, signInByPassword(parts), showAgainOnError(show))
  router.post('/sign-out', anybody, signOut)
  if (mailContext) router.use(mailedRoutes(parts, mailContext))
  router.use(devices({ database, mailContext, placeOf }))
  router.use(passkeyRoutes({ authenticate, database, holders, keys, limits, secrets, show }))
  if (strategies.length) router.use(signInWith({ ...parts, show }))
  router.use(secondFactorRoutes({ database, holders, limits, secrets }))
  router.use(profileRoutes({ ...parts, mails: mailContext !== undefined }))
  router.use('/account', accountRoutes({ database, limits, mailContext }))
  router.use(invitationRoutes({ crm, database, mailContext }))
  return router
}

/** The sign-in methods that need mail, each for workspaces that offer it. */
function mailedRoutes(parts: Parts, mailContext: NonNullable<Parts['mailContext']>): Router {
  const { authenticate } = parts
  const router = Router()
  router.use(['/sign-in/code{/*rest}', '/sign-in/link/:token'], onlyWith(parts, 'code'))
  router.use(['/forgot-password', '/reset-password/:token', '/unlock/:token'], onlyWith(parts, 'password'))
  router.use(['/register', '/register/:token'], onlyWith(parts, 'registration'))
  router.use(
    passwordResetRoutes(mailContext),
    unlockRoutes(mailContext),
    codeRoutes({ ...mailContext, authenticate }),
    confirmed(mailContext, parts),
    registrationRoutes(mailContext),
  )
  return router
}

const methodsOf = ({ database, mailContext }: Parts, workspace: string) =>
  signInMethodsOf(database, workspace, mailContext !== undefined)

/** Redirects to the offered sign-in methods if this workspace does not offer this one. */
const onlyWith =
  (parts: Parts, method: 'password' | 'code' | 'registration'): RequestHandler =>
  async (req, res, next) => {
    const methods = await methodsOf(parts, req.portal.workspace.id)
    if (methods[method]) return next()
    res.redirect(303, req.portal.url('/sign-in'))
  }

const skipIfSignedIn: RequestHandler = (req, res, next) => {
  if (req.portal.customer) return res.redirect(303, safeRedirect(req, req.query.next))
  next()
}

const signInByPassword =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const { authenticate, database, limits, mailContext } = parts
    const methods = await methodsOf(parts, req.portal.workspace.id)
    if (!methods.password) throw new NotFound()
    const { email, password, next } = read(SignIn, req)
    const counted = limits.count(req, { account: email, password })
    const succeeded = await (mailContext ? mailUnlock(mailContext, req, email, counted) : counted)
    const found = await authenticate(req, 'password', { body: { email, password } })
    if (!found.account) return refuseSignIn(req, email, 'password', found.reason, { email, next })
    await succeeded()
    const verifications = [{ by: 'password' as const, at: req.portal.now.getTime() }]
    await signIn({ database, mailContext }, req, res, { account: found.account, next, verifications })
  }

const signOut: RequestHandler = async (req, res) => {
  if (req.portal.customer) await recordEvent(req, { event: 'account.signed-out' })
  await endSession(req)
  forgetForm(req, res)
  res.clearCookie('portico.sid', { path: req.portal.url('') })
  const { next } = Object(req.portal.body)
  res.redirect(303, next ? safeRedirect(req, next) : req.portal.url('/sign-in'))
}

const SignIn = z.object({
  email: z.string('Enter your e-mail address.').trim().toLowerCase().max(320).min(1, 'Enter your e-mail address.'),
  password: z.string('Enter your password.').min(1, 'Enter your password.'),
  next: z.string().optional().catch(undefined),
})

const showSignIn =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const { problem, user, workspace } = req.portal
    const refused = problem instanceof Invalid || problem instanceof RateLimited
    const typed = refused ? (problem.typed as Record<string, unknown>) : {}
    if (problem instanceof Invalid) problem.typed = { ...typed, password: undefined }
    const methods = {
      ...(await methodsOf(parts, workspace.id)),
      strategies: await offeredStrategies(parts.database, workspace, parts.strategies),
    }
    const filled = await req.portal.fillSlots(req, 'sign-in')
    const preferred = problem ? undefined : (req.query.way ?? rememberedSignInMethod(req))
    const byCode = !methods.password || (methods.code && preferred === 'code')
    req.portal.frame = 'bare'
    res.respond('auth/sign-in', {
      next: typed.next ?? req.query.next ?? '',
      suspended: user?.person?.suspended ?? false,
      left: user?.person != null && !user.memberships.length && !user.switchedOff,
      switchedOff: user?.switchedOff ?? false,
      changed: req.query.changed === '' && !problem,
      unlocked: req.query.unlocked === '' && !problem,
      methods,
      method: byCode ? 'code' : 'password',
      ...filled,
    })
  }
