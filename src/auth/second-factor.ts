import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { Forbidden, Invalid } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { anybody } from '../http/rules.ts'
import { recordEventIn } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import { qrSquares } from '../platform/qr.ts'
import { stepUp } from '../plugin/permissions.ts'
import type { FactorOwners } from './factor-owners.ts'
import {
  authenticatorUri,
  beginAuthenticator,
  type FactorOwner,
  type Factors,
  factorsOf,
  newRecoveryCodes,
  removeAuthenticator,
  useAuthenticatorCode,
  useSecondFactor,
} from './factors.ts'
import type { MailContext } from './mail-context.ts'
import { refuseSignIn } from './sign-in.ts'
import { hasRecentVerification } from './step-up.ts'

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  holders: FactorOwners
}

/** Sets up an authenticator app as second factor, signs in with it and removes it. */
export function secondFactorRoutes(parts: Parts): Router {
  const router = Router()
  router.use(signingIn(parts))
  const show = showOwn(parts)
  router.use(settingUp(parts, show), removalRoutes(parts, show))
  return router
}

function signingIn({ database, holders, limits, secrets }: Parts): Router {
  const router = Router()

  const show: RequestHandler = async (req, res) => {
    const waiting = await holders.pendingSignIn(req)
    if (!waiting) return res.redirect(303, req.portal.url('/sign-in'))
    const { id: workspace } = req.portal.workspace
    const has = await within(database, { workspace }, tx => sumOf(tx, waiting.owners, secrets))
    req.portal.frame = 'bare'
    res.respond('auth/second-factor', { ...has, recoveredBy: holders.recoveredBy })
  }

  router.get('/sign-in/second-factor', anybody, show)

  router.post(
    '/sign-in/second-factor',
    anybody,
    async (req, res) => {
      const waiting = await holders.pendingSignIn(req)
      if (!waiting) return res.redirect(303, req.portal.url('/sign-in'))
      const { code } = read(Typed, req)
      const succeeded = await limits.count(req, { account: `factor ${waiting.person}` })
      const by = await holders.transaction(req, tx => useSecondFactor(tx, waiting.owners, code, secrets))
      if (!by) return refuseSignIn(req, waiting.email, 'code', 'This code is wrong or was already used.', {})
      await succeeded()
      if (by === 'recovery') await holders.transaction(req, tx => waiting.recovered(tx))
      await waiting.signIn(res, { by, at: req.portal.now.getTime() })
    },
    showAgainOnError(show),
  )

  return router
}

/** Combines the second factors of all accounts of one human. */
async function sumOf(tx: Knex, whose: FactorOwner[], secrets: string[]) {
  const all: Factors[] = []
  for (const it of whose) all.push(await factorsOf(tx, it, secrets))
  const sum = (of: 'passkeys' | 'recovery') => all.reduce((total, it) => total + it[of], 0)
  return { app: all.some(it => it.app), passkeys: sum('passkeys'), recovery: sum('recovery') }
}

const showOwn =
  ({ database, holders, secrets }: Parts): RequestHandler =>
  async (req, res) => {
    const me = holders.currentUser(req)
    const factors = await within(database, me, tx => factorsOf(tx, me, secrets))
    // With another factor in place, the new app's key is shown only after a recent verification by that factor.
    const shown = !factors.passkeys || hasRecentVerification(req, 'second')
    const uri = shown && factors.begun && authenticatorUri(factors.begun, req.portal.workspace.name, me.email)
    res.respond('account/second-factor', {
      ...factors,
      mfaPolicy: holders.mfaPolicy(req),
      canMailCodes: holders.canMailCodes,
      uri,
      qr: uri && qrSquares(uri),
      saved: String(req.query.saved ?? ''),
    })
  }

function settingUp({ holders, limits, secrets }: Parts, show: RequestHandler): Router {
  const router = Router()
  const { signedIn, currentUser: mine, transaction: inside, factorChanged: changed } = holders

  router.get('/account/second-factor', signedIn, show)

  router.post('/account/second-factor', signedIn, stepUp('account.factor'), async (req, res) => {
    await inside(req, tx => beginAuthenticator(tx, mine(req), secrets))
    res.redirect(303, req.portal.url('/account/second-factor'))
  })

  router.post(
    '/account/second-factor/confirmation',
    signedIn,
    stepUp('account.factor'),
    async (req, res) => {
      const { code } = read(Typed, req)
      const succeeded = await limits.count(req, { account: `factor ${mine(req).person}` })
      const codes = await inside(req, async tx => {
        if (!(await useAuthenticatorCode(tx, mine(req), code, secrets, true)))
          throw new Invalid(
            { code: ['That code doesn’t match. Check that your phone’s clock is right and enter the next one.'] },
            {},
          )
        await changed(tx, req, { event: 'account.factor-added' }, 'factor-added')
        return newRecoveryCodes(tx, mine(req))
      })
      await succeeded()
      req.portal.sessionRequest.session.verifications?.push({ by: 'totp', at: req.portal.now.getTime() })
      showCodes(req, res, mine(req).email, codes)
    },
    showAgainOnError(show),
  )

  return router
}

function removalRoutes({ holders, secrets }: Parts, show: RequestHandler): Router {
  const router = Router()
  const { signedIn, currentUser: mine, transaction: inside, factorChanged: changed, mfaPolicy } = holders

  router.post('/account/second-factor/recovery-codes', signedIn, stepUp('account.factor'), async (req, res) => {
    const codes = await inside(req, async tx => {
      if (!(await factorsOf(tx, mine(req), secrets)).app) throw new Forbidden()
      await recordEventIn(tx, req, { event: 'account.recovery-renewed' })
      return newRecoveryCodes(tx, mine(req))
    })
    showCodes(req, res, mine(req).email, codes)
  })

  router.post(
    '/account/second-factor/removal',
    signedIn,
    stepUp('account.factor'),
    async (req, res) => {
      await inside(req, async tx => {
        const { app, passkeys } = await factorsOf(tx, mine(req), secrets)
        if (!app) throw new Forbidden()
        if (mfaPolicy(req) && !passkeys)
          throw new Invalid({ factor: ['Your company’s portal requires a second factor, so it stays on.'] }, {})
        await removeAuthenticator(tx, mine(req))
        await changed(tx, req, { event: 'account.factor-removed' }, passkeys ? 'factor-fewer' : 'factor-removed')
      })
      res.redirect(303, req.portal.url('/account/second-factor?saved=off'))
    },
    showAgainOnError(show),
  )

  return router
}

/** Shows the recovery codes in this response, and never again. */
export const showCodes = (req: Request<any>, res: Response, email: string, codes: string[]) =>
  res.respond('account/recovery-codes', {
    codes,
    file: [`${req.portal.workspace.name}, ${email}`, '', ...codes, ''].join('\r\n'),
  })

const Typed = z.object({
  code: z.string('Enter a code.').trim().min(1, 'Enter a code.').max(100, 'Enter a code.'),
})
