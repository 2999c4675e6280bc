import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { otherwise } from '../answer.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import { anybody, stepUp } from '../section.ts'
import { refuse } from './enter.ts'
import { factorsOf, newRecoveryCodes } from './factors.ts'
import type { Holders } from './holders.ts'
import { list, type Passkeys, removePasskey } from './passkeys.ts'
import { showCodes } from './second-factor.ts'
import type { Ways } from './way.ts'

interface Parts extends Pick<Ways, 'database' | 'limits' | 'secrets'> {
  holders: Holders
  keys: Passkeys
  /** The sign-in page, which says what was wrong. */
  show: RequestHandler
}

/** Coming in by a passkey, which is both factors in one; and one's own passkeys. */
export function passkeyRoutes(parts: Parts): Router {
  const router = Router()
  router.use(signingIn(parts))
  router.use(ownPasskeys(parts))
  return router
}

function signingIn({ holders, keys, limits, show }: Parts): Router {
  const router = Router()

  router.get('/sign-in/passkey', anybody, async (req, res) => {
    const { customer, staff } = req.portal
    if (!customer && !staff && !(await holders.opens(req))) return res.redirect(303, req.portal.url('/sign-in'))
    res.set('Cache-Control', 'no-store').json(await keys.request(req))
  })

  router.post(
    '/sign-in/passkey',
    anybody,
    async (req, res) => {
      const { credential, next } = read(Used, req)
      if (!(await holders.opens(req))) return res.redirect(303, req.portal.url('/sign-in'))
      const succeeded = await limits.count(req, {})
      const found = await holders.byPasskey(req, await keys.prove(req, credential))
      if (!found) return refuse(req, '', 'passkey', 'This passkey opens nothing here. Sign in another way.', { next })
      await succeeded()
      await found.enter(res, { by: 'passkey', at: req.portal.now.getTime() }, next)
    },
    otherwise(show),
  )

  return router
}

function ownPasskeys({ database, holders, keys, secrets }: Parts): Router {
  const router = Router()
  const { signedIn, mine, inside, changed, demand } = holders

  const show: RequestHandler = async (req, res) => {
    res.answer('account/passkeys', { passkeys: await list(database, mine(req)), saved: req.query.saved === '' })
  }

  router.get('/account/passkeys', signedIn, show)

  router.get('/account/passkeys/options', signedIn, async (req, res) => {
    res.set('Cache-Control', 'no-store').json(await keys.creation(req, mine(req)))
  })

  router.post(
    '/account/passkeys',
    signedIn,
    stepUp('account.factor'),
    async (req, res) => {
      const { credential, name } = read(Made, req)
      const codes = await inside(req, async tx => {
        const before = await factorsOf(tx, mine(req), secrets)
        if (!(await keys.add(tx, req, mine(req), name, credential)))
          throw new Invalid({ credential: ['The passkey could not be made. Please try again.'] }, { name })
        await changed(tx, req, { event: 'account.passkey-added', subject: { name } }, 'passkey-added')
        return before.recovery ? [] : newRecoveryCodes(tx, mine(req))
      })
      req.portal.aside.session.proofs?.push({ by: 'passkey', at: req.portal.now.getTime() })
      if (codes.length) return showCodes(req, res, mine(req).email, codes)
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    otherwise(show),
  )

  router.post(
    '/account/passkeys/:passkey/removal',
    signedIn,
    stepUp('account.factor'),
    async (req, res) => {
      await inside(req, async tx => {
        if (!(await removePasskey(tx, mine(req), String(req.params.passkey)))) throw new NotFound()
        const { app, passkeys } = await factorsOf(tx, mine(req), secrets)
        if (demand(req) && !app && !passkeys)
          throw new Invalid(
            { credential: ['Your company’s portal asks for a second factor: set up another one first.'] },
            {},
          )
        const letter = app || passkeys ? 'factor-fewer' : 'factor-removed'
        await changed(tx, req, { event: 'account.passkey-removed' }, letter)
      })
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    otherwise(show),
  )

  return router
}

const Used = z.object({ credential: z.string().catch(''), next: z.string().optional().catch(undefined) })

const Made = z.object({
  name: z.string('Type a name.').trim().min(1, 'Type a name.').max(60, 'Use at most 60 characters.'),
  credential: z.string().catch(''),
})
