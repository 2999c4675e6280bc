import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { Invalid, NotFound } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { stepUp } from '../plugin/permissions.ts'
import { deviceName } from './devices.ts'
import type { FactorOwners } from './factor-owners.ts'
import { factorsOf, newRecoveryCodes } from './factors.ts'
import type { MailContext } from './mail-context.ts'
import { list, type Passkeys, removePasskey } from './passkeys.ts'
import { showCodes } from './second-factor.ts'
import { refuseSignIn } from './sign-in.ts'
import type { Authenticate, ClientUsers } from './strategies.ts'

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  authenticate: Authenticate<Pick<ClientUsers, 'passkey'>>
  holders: FactorOwners
  keys: Passkeys
  /** Shows the sign-in page again, with the error. */
  show: RequestHandler
}

/** Signs in by a passkey, which counts as both factors; adds and removes one's own passkeys. */
export function passkeyRoutes(parts: Parts): Router {
  const router = Router()
  router.use(signingIn(parts))
  router.use(ownPasskeys(parts))
  return router
}

function signingIn({ authenticate, holders, keys, limits, show }: Parts): Router {
  const router = Router()

  router.get('/sign-in/passkey', anybody, async (req, res) => {
    const { customer, staff } = req.portal
    if (!customer && !staff && !(await holders.allowsPasskeySignIn(req)))
      return res.redirect(303, req.portal.url('/sign-in'))
    res.set('Cache-Control', 'no-store').json(await keys.request(req))
  })

  router.post(
    '/sign-in/passkey',
    anybody,
    async (req, res) => {
      const { credential, next } = read(Used, req)
      if (!(await holders.allowsPasskeySignIn(req))) return res.redirect(303, req.portal.url('/sign-in'))
      const succeeded = await limits.count(req, {})
      const found = await authenticate(req, 'passkey', { body: { credential } })
      if (!found.account) return refuseSignIn(req, '', 'passkey', found.reason, { next })
      await succeeded()
      await found.account.signIn(res, { by: 'passkey', at: req.portal.now.getTime() }, next)
    },
    showAgainOnError(show),
  )

  return router
}

function ownPasskeys({ database, holders, keys, secrets }: Parts): Router {
  const router = Router()
  const { signedIn, currentUser: mine, transaction: inside, factorChanged: changed, mfaPolicy } = holders

  const show: RequestHandler = async (req, res) => {
    res.respond('account/passkeys', {
      passkeys: await list(database, mine(req)),
      saved: req.query.saved === '',
      // Of somebody who has just joined.
      fresh: req.query.new === '',
      device: deviceName(req.portal, req.get('User-Agent')),
    })
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
          throw new Invalid({ credential: ['The passkey could not be created. Try again.'] }, { name })
        await changed(tx, req, { event: 'account.passkey-added', subject: { name } }, 'passkey-added')
        return before.recovery ? [] : newRecoveryCodes(tx, mine(req))
      })
      req.portal.sessionRequest.session.verifications?.push({ by: 'passkey', at: req.portal.now.getTime() })
      if (codes.length) return showCodes(req, res, mine(req).email, codes)
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    showAgainOnError(show),
  )

  router.post(
    '/account/passkeys/:passkey/removal',
    signedIn,
    stepUp('account.factor'),
    async (req, res) => {
      await inside(req, async tx => {
        if (!(await removePasskey(tx, mine(req), String(req.params.passkey)))) throw new NotFound()
        const { app, passkeys } = await factorsOf(tx, mine(req), secrets)
        if (mfaPolicy(req) && !app && !passkeys)
          throw new Invalid(
            { credential: ['Your company’s portal asks for a second factor: set up another one first.'] },
            {},
          )
        const letter = app || passkeys ? 'factor-fewer' : 'factor-removed'
        await changed(tx, req, { event: 'account.passkey-removed' }, letter)
      })
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    showAgainOnError(show),
  )

  return router
}

const Used = z.object({ credential: z.string().catch(''), next: z.string().optional().catch(undefined) })

const Made = z.object({
  name: z.string('Enter a name.').trim().min(1, 'Enter a name.').max(60, 'Use at most 60 characters.'),
  credential: z.string().catch(''),
})
