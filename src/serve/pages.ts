import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { loadWorkspace } from '../auth/load-context.ts'
import { passkeyRoutes } from '../auth/passkey-routes.ts'
import { passkeys } from '../auth/passkeys.ts'
import { secondFactorRoutes } from '../auth/second-factor.ts'
import { refuseSignIn } from '../auth/sign-in.ts'
import { factorStepUp, provideStepUp } from '../auth/step-up.ts'
import {
  authenticator,
  type ClientUsers,
  passkeyStrategy,
  passwordStrategy,
  wrongPasswordMessage,
} from '../auth/strategies.ts'
import { showLogo } from '../branding/show.ts'
import { assets } from '../http/assets.ts'
import { sameOrigin } from '../http/csrf.ts'
import { Invalid } from '../http/errors.ts'
import { bodies, read } from '../http/forms.ts'
import { errorHandler, showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import type { Flags } from '../platform/flags.ts'
import type { Log } from '../platform/log.ts'
import type { assemble } from '../portal.ts'
import { staffAccount } from './account.ts'
import { staffFactorOwners, staffStepUpUser } from './factor-owners.ts'
import { loadStaff, signInStaff } from './session.ts'
import type { Colleague, StaffOf } from './staff.ts'

type Assembled = Awaited<ReturnType<typeof assemble>>

interface Parts extends Omit<Assembled, 'portal'> {
  database: Knex
  flags: Flags
  log: Log
  secrets: string[]
  staff: StaffOf
}

/** The pages where stand-alone staff sign in and out and manage their sign-in methods: `/staff/:workspace`. */
export function staffPages(parts: Parts): Router {
  const { address, begin, claim, activation, workspaces, remember, flags, log, staff } = parts
  const router = Router()
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/:workspace' })
  router.use('/-/assets', assets())
  router.use(
    '/:workspace',
    (async (req, _res, next) =>
      next(flags.enabled(req.params.workspace) && (await activation.isAccepted()) ? undefined : 'router')) as Scoped,
    inside,
  )
  inside.use(begin, loadWorkspace(workspaces), remember, claim, loadStaff(staff), sameOrigin(address), bodies)
  inside.get('/logo/:version{/:paper}', anybody, showLogo(workspaces))
  inside.use(signingIn(parts))
  inside.use('/account', staffAccount(parts))
  inside.use(errorHandler(log, claim))
  return router
}

type Scoped = RequestHandler<{ workspace: string }>

function signingIn({ database, limits, secrets, staff }: Parts): Router {
  const router = Router()
  const keys = passkeys({ database, secrets, staff: true })
  const holders = staffFactorOwners({ database, staff })
  const authenticate = authenticator<StaffUsers>({
    password: staffPassword(staff),
    passkey: passkeyStrategy(holders, keys),
  })
  router.get('/sign-in', anybody, showSignIn)

  router.post(
    '/sign-in',
    anybody,
    async (req, res) => {
      const { email, password, next } = read(SignIn, req)
      const succeeded = await limits.count(req, { account: `staff ${email.toLowerCase()}`, password })
      const found = await authenticate(req, 'password', { body: { email, password } })
      if (!found.account) return refuseSignIn(req, email, 'password', found.reason, { email, next })
      await succeeded()
      const proof = { by: 'password' as const, at: req.portal.now.getTime() }
      await signInStaff(req, res, { who: found.account, next, verifications: [proof] })
    },
    showAgainOnError(showSignIn),
  )

  router.post('/sign-out', anybody, async (req, res) => {
    await new Promise<void>((resolve, reject) =>
      req.portal.sessionRequest.session.regenerate(error => (error ? reject(error) : resolve())),
    )
    res.redirect(303, req.portal.url('/sign-in'))
  })

  // The same pages as for clients, with staff's own table.
  const actions = new Map([factorStepUp])
  const stepUpUser = staffStepUpUser(staff)
  router.use(provideStepUp({ actions, database, keys, limits, mailContext: undefined, stepUpUser, secrets }))
  router.use(passkeyRoutes({ authenticate, database, holders, keys, limits, secrets, show: showSignIn }))
  router.use(secondFactorRoutes({ database, holders, limits, secrets }))
  return router
}

/** The strategies of staff, in a Passport instance of their own: clients' strategies cannot sign anybody in here. */
interface StaffUsers extends Pick<ClientUsers, 'passkey'> {
  password: Colleague
}

const staffPassword = (staff: StaffOf) =>
  passwordStrategy(async (req, email, typed) => ({
    account: await staff.verify(req.portal.workspace, email, typed),
    reason: wrongPasswordMessage,
  }))

const showSignIn: RequestHandler = (req, res) => {
  const { problem } = req.portal
  const typed = problem instanceof Invalid ? (problem.typed as Record<string, unknown>) : {}
  if (problem instanceof Invalid) problem.typed = { ...typed, password: undefined }
  req.portal.frame = 'bare'
  res.respond('staff/sign-in', { next: typed.next ?? req.query.next ?? '' })
}

const SignIn = z.object({
  email: z.string('Enter your e-mail address.').trim().max(320).min(1, 'Enter your e-mail address.'),
  password: z.string('Enter your password.').min(1, 'Enter your password.'),
  next: z.string().optional().catch(undefined),
})
