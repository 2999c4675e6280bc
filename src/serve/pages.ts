import { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import { otherwise, problems } from '../answer.ts'
import { assets } from '../assets.ts'
import { refuse } from '../auth/enter.ts'
import { showLogo } from '../branding/show.ts'
import { Invalid } from '../errors.ts'
import type { Flags } from '../flags.ts'
import { bodies, read } from '../form.ts'
import type { Log } from '../log.ts'
import { sameOrigin } from '../origin.ts'
import type { assemble } from '../portal.ts'
import { anybody } from '../section.ts'
import { locate } from '../visit.ts'
import { held } from './session.ts'
import type { StaffOf } from './staff.ts'

interface Parts
  extends Pick<Awaited<ReturnType<typeof assemble>>, 'address' | 'begin' | 'claim' | 'door' | 'limits' | 'places'> {
  flags: Flags
  log: Log
  staff: StaffOf
}

/** The way in and out for staff of a portal that stands alone: `/staff/:workspace`. */
export function staffPages({ address, begin, claim, door, limits, places, flags, log, staff }: Parts): Router {
  const router = Router()
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/:workspace' })
  router.use('/-/assets', assets())
  router.use(
    '/:workspace',
    (async (req, _res, next) =>
      next(flags.enabled(req.params.workspace) && (await door.opened()) ? undefined : 'router')) as Scoped,
    inside,
  )

  const show: RequestHandler = (req, res) => {
    const { problem } = req.portal
    if (problem instanceof Invalid) problem.typed = { ...(problem.typed as object), password: undefined }
    req.portal.frame = 'solo'
    res.answer('staff/sign-in', {})
  }

  inside.use(begin, locate(places), claim, sameOrigin(address), bodies)
  inside.get('/logo/:version', anybody, showLogo(places))
  inside.get('/sign-in', anybody, show)

  inside.post(
    '/sign-in',
    anybody,
    async (req, res) => {
      const { email, password } = read(SignIn, req)
      const succeeded = await limits.count(req, { account: `staff ${email.toLowerCase()}`, password })
      const found = await staff.verify(req.portal.workspace, email, password)
      if (!found) return refuse(req, email, 'password', wrong, { email })
      await succeeded()
      await renew(req)
      await record(req, { event: 'account.signed-in', actor: { kind: 'staff', id: found.id, name: found.name } })
      const { slug, id } = req.portal.workspace
      held(req).staff = { id: found.id, workspace: slug, of: id, state: found.state }
      res.redirect(303, '/settings/client-portal/')
    },
    otherwise(show),
  )

  inside.post('/sign-out', anybody, async (req, res) => {
    await renew(req)
    res.redirect(303, req.portal.url('/sign-in'))
  })

  inside.use(problems(log, claim))
  return router
}

type Scoped = RequestHandler<{ workspace: string }>

const wrong = 'This e-mail address and password do not go together.'

const SignIn = z.object({
  email: z.string('Type your e-mail address.').trim().max(320).min(1, 'Type your e-mail address.'),
  password: z.string('Type your password.').min(1, 'Type your password.'),
})

/** Another id, so that one known before is worth nothing after. */
const renew = (req: Request<any>) =>
  new Promise<void>((resolve, reject) =>
    (req as any).session.regenerate((error: unknown) => (error ? reject(error) : resolve())),
  )
