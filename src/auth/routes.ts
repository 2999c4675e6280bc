import { type Request, type RequestHandler, type Response, Router } from 'express'
import { Passport } from 'passport'
import { z } from 'zod'
import { record } from '../activity.ts'
import { otherwise } from '../answer.ts'
import type { Identity } from '../crm.ts'
import { within } from '../database.ts'
import { Invalid, NotFound, TooOften } from '../errors.ts'
import { read } from '../form.ts'
import { anybody } from '../section.ts'
import { account } from './account.ts'
import { confirmed } from './address.ts'
import { codes } from './codes.ts'
import { begin, enter, refuse, safe } from './enter.ts'
import { acceptInvitation, findInvitation } from './invitations.ts'
import { offered } from './offered.ts'
import { password } from './password.ts'
import { hashed, weakness } from './passwords.ts'
import { reset } from './reset.ts'
import type { Account, Ways } from './way.ts'

/** The ways in and out of one workspace's portal. `mailed` are those that need mail, where there is any. */
export function auth({
  database,
  identity,
  limits,
  mailed,
}: Pick<Ways, 'database' | 'limits'> & { identity: Identity | undefined; mailed: Ways | undefined }): Router {
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
    (way: 'password' | 'code'): RequestHandler =>
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
      const succeeded = await limits.count(req, { account: email, password })
      const account = await check(req, res)
      if (!account || account.suspended || !account.memberships[0]) {
        const sentence = account ? 'Your access has been suspended.' : wrong
        return refuse(req, email, 'password', sentence, { email, next })
      }
      await succeeded()
      await enter(database, req, res, account, next, 'password')
    },
    otherwise(showSignIn),
  )

  router.post('/sign-out', anybody, async (req, res) => {
    if (req.portal.customer) await record(req, { event: 'account.signed-out' })
    // express-session destroys it before the answer is sent.
    Object.assign(req.portal.aside, { session: null })
    res.clearCookie('portico.sid', { path: req.portal.url('') })
    res.redirect(303, req.portal.url('/sign-in'))
  })

  if (mailed) {
    router.use('/sign-in/{*rest}', only('code'))
    router.use(['/forgot-password', '/reset-password/:token'], only('password'))
    router.use(reset(mailed), codes(mailed), confirmed(mailed))
  }
  router.use('/account', account({ database, limits, mailed }))

  const showInvitation: RequestHandler<{ token: string }> = async (req, res) => {
    const { workspace } = req.portal
    const invitation = await within(database, { workspace: workspace.id }, tx =>
      findInvitation(tx, workspace.id, req.params.token),
    )
    req.portal.frame = 'solo'
    res.answer('auth/invitation', { invitation })
  }

  router.get('/invitation/:token', anybody, showInvitation)

  router.post(
    '/invitation/:token',
    anybody,
    async (req, res) => {
      const { workspace } = req.portal
      const { name, password: chosen } = read(Joining, req)
      const scope = { workspace: workspace.id }
      const invitation = await within(database, scope, tx => findInvitation(tx, workspace.id, String(req.params.token)))
      const weak = await weakness(chosen, [name, invitation.email, invitation.client.name, workspace.name])
      if (weak) throw new Invalid({ password: [weak] }, { name })
      const passwordHash = await hashed(chosen)
      const { person, fresh } = await within(database, scope, tx =>
        acceptInvitation(tx, req, invitation, { name, passwordHash }),
      )
      if (fresh) await begin(req, person, invitation.client.id, 'invitation')
      res.redirect(303, req.portal.url(fresh ? '/' : '/sign-in'))
    },
    otherwise(showInvitation as RequestHandler),
  )

  return router
}

const wrong = 'This e-mail address and password do not go together.'

const SignIn = z.object({
  email: z.string('Type your e-mail address.').trim().toLowerCase().max(320).min(1, 'Type your e-mail address.'),
  password: z.string('Type your password.').min(1, 'Type your password.'),
  next: z.string().optional().catch(undefined),
})

const Joining = z.object({
  name: z.string('Type your name.').trim().min(1, 'Type your name.').max(200, 'Use at most 200 characters.'),
  password: z.string('Choose a password.'),
})

const signIn =
  (waysOf: (req: Request) => ReturnType<typeof offered>): RequestHandler =>
  async (req, res) => {
    const { problem } = req.portal
    const refused = problem instanceof Invalid || problem instanceof TooOften
    const typed = refused ? (problem.typed as Record<string, unknown>) : {}
    if (problem instanceof Invalid) problem.typed = { ...typed, password: undefined }
    req.portal.frame = 'solo'
    res.answer('auth/sign-in', {
      next: typed.next ?? req.query.next ?? '',
      suspended: req.portal.visitor?.person?.suspended ?? false,
      left: req.portal.visitor?.person != null && !req.portal.visitor.memberships.length,
      changed: req.query.changed === '' && !problem,
      ways: await waysOf(req),
    })
  }
