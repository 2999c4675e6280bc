import { type Request, type RequestHandler, type Response, Router } from 'express'
import { Passport } from 'passport'
import { z } from 'zod'
import { record } from '../activity.ts'
import { otherwise } from '../answer.ts'
import type { Identity } from '../crm.ts'
import { Invalid, NotFound, TooOften } from '../errors.ts'
import { read } from '../form.ts'
import type { Jobs } from '../jobs.ts'
import { anybody } from '../section.ts'
import { account } from './account.ts'
import { confirmed } from './address.ts'
import { codes } from './codes.ts'
import { devices } from './devices.ts'
import { enter, refuse, rememberedWay, safe } from './enter.ts'
import { clientHolders } from './holders.ts'
import { invited } from './invited.ts'
import { offered } from './offered.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import type { Passkeys } from './passkeys.ts'
import { password } from './password.ts'
import { mayEnter } from './people.ts'
import { register } from './register.ts'
import { reset } from './reset.ts'
import { secondFactor } from './second-factor.ts'
import { end } from './sessions.ts'
import { unlock, unlocking } from './unlock.ts'
import type { Account, Ways } from './way.ts'

/** The ways in and out of one workspace's portal. `mailed` are those that need mail, where there is any. */
export function auth({
  database,
  identity,
  limits,
  mailed,
  secrets,
  keys,
}: Pick<Ways, 'database' | 'limits' | 'secrets'> & { keys: Passkeys } & {
  identity: Identity | undefined
  mailed: (Ways & { jobs: Jobs }) | undefined
}): Router {
  const router = Router()
  const mails = mailed !== undefined
  const showSignIn = signIn(req => offered(database, req.portal.workspace.id, mails))
  const passport = new Passport().use('password', password(database, identity))
  const check = (req: Request, res: Response) =>
    new Promise<Account | undefined>((resolve, reject) => {
      const done = (error: unknown, account?: Account | false) =>
        error ? reject(error) : resolve(account || undefined)
      passport.authenticate('password', { session: false }, done)(
        Object.assign(req.portal.aside, { body: req.portal.body }),
        res,
        reject,
      )
    })

  /** A way that this workspace does not offer leads to those that it does. */
  const only =
    (way: 'password' | 'code' | 'registration'): RequestHandler =>
    async (req, res, next) =>
      (await offered(database, req.portal.workspace.id, mails))[way]
        ? next()
        : res.redirect(303, req.portal.url('/sign-in'))

  router.get('/sign-in', anybody, (req, res, next) => {
    if (req.portal.customer) return res.redirect(303, safe(req, req.query.next))
    return showSignIn(req, res, next)
  })

  router.post(
    '/sign-in',
    anybody,
    async (req, res) => {
      if (!(await offered(database, req.portal.workspace.id, mails)).password) throw new NotFound()
      const { email, password, next } = read(SignIn, req)
      const counted = limits.count(req, { account: email, password })
      const succeeded = await (mailed ? unlocking(mailed, req, email, counted) : counted)
      const account = await check(req, res)
      const sentence = account?.suspended ? 'Your access has been suspended.' : wrong
      if (!mayEnter(account)) return refuse(req, email, 'password', sentence, { email, next })
      await succeeded()
      const proofs = [{ by: 'password' as const, at: req.portal.now.getTime() }]
      await enter({ database, mailed }, req, res, { account, next, proofs })
    },
    otherwise(showSignIn),
  )

  router.post('/sign-out', anybody, async (req, res) => {
    if (req.portal.customer) await record(req, { event: 'account.signed-out' })
    await end(req)
    res.clearCookie('portico.sid', { path: req.portal.url('') })
    const { next } = Object(req.portal.body)
    res.redirect(303, next ? safe(req, next) : req.portal.url('/sign-in'))
  })

  if (mailed) {
    router.use(['/sign-in/code{/*rest}', '/sign-in/link/:token'], only('code'))
    router.use(['/forgot-password', '/reset-password/:token', '/unlock/:token'], only('password'))
    router.use(['/register', '/register/:token'], only('registration'))
    router.use(reset(mailed), unlock(mailed), codes(mailed), confirmed(mailed), register(mailed))
  }
  router.use(devices({ database, mailed }))
  const alone = async (req: Request) => (await offered(database, req.portal.workspace.id, mails)).passkey
  const holders = clientHolders({ alone, database, mailed, secrets })
  router.use(passkeyRoutes({ database, holders, keys, limits, secrets, show: showSignIn }))
  router.use(secondFactor({ database, holders, limits, secrets }))
  router.use('/account', account({ database, limits, mailed }))

  router.use(invited({ database, mailed }))

  return router
}

const wrong = 'This e-mail address and password do not go together.'

const SignIn = z.object({
  email: z.string('Type your e-mail address.').trim().toLowerCase().max(320).min(1, 'Type your e-mail address.'),
  password: z.string('Type your password.').min(1, 'Type your password.'),
  next: z.string().optional().catch(undefined),
})

const signIn =
  (waysOf: (req: Request) => ReturnType<typeof offered>): RequestHandler =>
  async (req, res) => {
    const { problem } = req.portal
    const refused = problem instanceof Invalid || problem instanceof TooOften
    const typed = refused ? (problem.typed as Record<string, unknown>) : {}
    if (problem instanceof Invalid) problem.typed = { ...typed, password: undefined }
    const ways = await waysOf(req)
    req.portal.frame = 'solo'
    res.answer('auth/sign-in', {
      next: typed.next ?? req.query.next ?? '',
      suspended: req.portal.visitor?.person?.suspended ?? false,
      left: req.portal.visitor?.person != null && !req.portal.visitor.memberships.length,
      changed: req.query.changed === '' && !problem,
      unlocked: req.query.unlocked === '' && !problem,
      ways,
      way:
        !ways.password || (!problem && ways.code && (req.query.way ?? rememberedWay(req)) === 'code')
          ? 'code'
          : 'password',
    })
  }
