import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { otherwise, problems } from '../answer.ts'
import { assets } from '../assets.ts'
import { refuse } from '../auth/enter.ts'
import { passkeyRoutes } from '../auth/passkey-routes.ts'
import { passkeys } from '../auth/passkeys.ts'
import { secondFactor } from '../auth/second-factor.ts'
import { climbing, factorStepUp } from '../auth/step-up.ts'
import { showLogo } from '../branding/show.ts'
import { Invalid } from '../errors.ts'
import type { Flags } from '../flags.ts'
import { bodies, read } from '../form.ts'
import type { Log } from '../log.ts'
import { sameOrigin } from '../origin.ts'
import type { assemble } from '../portal.ts'
import { anybody } from '../section.ts'
import { locate } from '../visit.ts'
import { staffAccount } from './account.ts'
import { staffHolders, staffProver } from './holders.ts'
import { enterStaff, loadStaff } from './session.ts'
import type { StaffOf } from './staff.ts'

type Assembled = Awaited<ReturnType<typeof assemble>>

interface Parts extends Omit<Assembled, 'portal'> {
  database: Knex
  flags: Flags
  log: Log
  secrets: string[]
  staff: StaffOf
}

/** The way in and out for staff of a portal that stands alone, and how they sign in: `/staff/:workspace`. */
export function staffPages(parts: Parts): Router {
  const { address, begin, claim, door, places, remember, flags, log, staff } = parts
  const router = Router()
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/:workspace' })
  router.use('/-/assets', assets())
  router.use(
    '/:workspace',
    (async (req, _res, next) =>
      next(flags.enabled(req.params.workspace) && (await door.opened()) ? undefined : 'router')) as Scoped,
    inside,
  )
  inside.use(begin, locate(places), remember, claim, loadStaff(staff), sameOrigin(address), bodies)
  inside.get('/logo/:version', anybody, showLogo(places))
  inside.use(signingIn(parts), secondFactors(parts))
  inside.use('/account', staffAccount(parts))
  inside.use(problems(log, claim))
  return router
}

type Scoped = RequestHandler<{ workspace: string }>

function signingIn({ limits, staff }: Parts): Router {
  const router = Router()
  router.get('/sign-in', anybody, showSignIn)

  router.post(
    '/sign-in',
    anybody,
    async (req, res) => {
      const { email, password, next } = read(SignIn, req)
      const succeeded = await limits.count(req, { account: `staff ${email.toLowerCase()}`, password })
      const who = await staff.verify(req.portal.workspace, email, password)
      if (!who) return refuse(req, email, 'password', wrong, { email, next })
      await succeeded()
      const proof = { by: 'password' as const, at: req.portal.now.getTime() }
      await enterStaff(req, res, { who, next, proofs: [proof] })
    },
    otherwise(showSignIn),
  )

  router.post('/sign-out', anybody, async (req, res) => {
    await new Promise<void>((resolve, reject) =>
      req.portal.aside.session.regenerate(error => (error ? reject(error) : resolve())),
    )
    res.redirect(303, req.portal.url('/sign-in'))
  })

  return router
}

/** The same pages as clients have, for a table of staff's own. */
function secondFactors({ database, limits, secrets, staff }: Parts): Router {
  const router = Router()
  const keys = passkeys({ database, secrets, staff: true })
  const holders = staffHolders({ database, staff })
  const actions = new Map([factorStepUp])
  const prover = staffProver(staff)
  router.use(climbing({ actions, database, keys, limits, mailed: undefined, prover, secrets }))
  router.use(passkeyRoutes({ database, holders, keys, limits, secrets, show: showSignIn }))
  router.use(secondFactor({ database, holders, limits, secrets }))
  return router
}

const showSignIn: RequestHandler = (req, res) => {
  const { problem } = req.portal
  const typed = problem instanceof Invalid ? (problem.typed as Record<string, unknown>) : {}
  if (problem instanceof Invalid) problem.typed = { ...typed, password: undefined }
  req.portal.frame = 'solo'
  res.answer('staff/sign-in', { next: typed.next ?? req.query.next ?? '' })
}

const wrong = 'This e-mail address and password do not go together.'

const SignIn = z.object({
  email: z.string('Type your e-mail address.').trim().max(320).min(1, 'Type your e-mail address.'),
  password: z.string('Type your password.').min(1, 'Type your password.'),
  next: z.string().optional().catch(undefined),
})
