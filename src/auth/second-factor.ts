import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { within } from '../database.ts'
import { Forbidden, Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { squares } from '../qr.ts'
import { anybody, stepUp } from '../section.ts'
import { refuse } from './enter.ts'
import {
  beginApp,
  dropApp,
  type Factors,
  factorsOf,
  newRecoveryCodes,
  uriOf,
  useApp,
  useSecond,
  type Whose,
} from './factors.ts'
import type { Holders } from './holders.ts'
import { proven } from './step-up.ts'
import type { Ways } from './way.ts'

interface Parts extends Pick<Ways, 'database' | 'limits' | 'secrets'> {
  holders: Holders
}

/** An authenticator app as second factor: setting it up, signing in with it, and doing without it again. */
export function secondFactor(parts: Parts): Router {
  const router = Router()
  router.use(signingIn(parts))
  const show = showOwn(parts)
  router.use(settingUp(parts, show), doingWithout(parts, show))
  return router
}

function signingIn({ database, holders, limits, secrets }: Parts): Router {
  const router = Router()

  const show: RequestHandler = async (req, res) => {
    const waiting = await holders.waiting(req)
    if (!waiting) return res.redirect(303, req.portal.url('/sign-in'))
    const { id: workspace } = req.portal.workspace
    const has = await within(database, { workspace }, tx => sumOf(tx, waiting.whose, secrets))
    req.portal.frame = 'solo'
    res.answer('auth/second-factor', { ...has, rescue: holders.rescue })
  }

  router.get('/sign-in/second-factor', anybody, show)

  router.post(
    '/sign-in/second-factor',
    anybody,
    async (req, res) => {
      const waiting = await holders.waiting(req)
      if (!waiting) return res.redirect(303, req.portal.url('/sign-in'))
      const { code } = read(Typed, req)
      const succeeded = await limits.count(req, { account: `factor ${waiting.person}` })
      const by = await holders.inside(req, tx => useSecond(tx, waiting.whose, code, secrets))
      if (!by) return refuse(req, waiting.email, 'code', 'This code is wrong, or was used already.', {})
      await succeeded()
      if (by === 'recovery') await holders.inside(req, tx => waiting.recovered(tx))
      await waiting.enter(res, { by, at: req.portal.now.getTime() })
    },
    otherwise(show),
  )

  return router
}

/** What all accounts of one human have together. */
async function sumOf(tx: Knex, whose: Whose[], secrets: string[]) {
  const all: Factors[] = []
  for (const it of whose) all.push(await factorsOf(tx, it, secrets))
  const sum = (of: 'passkeys' | 'recovery') => all.reduce((total, it) => total + it[of], 0)
  return { app: all.some(it => it.app), passkeys: sum('passkeys'), recovery: sum('recovery') }
}

const showOwn =
  ({ database, holders, secrets }: Parts): RequestHandler =>
  async (req, res) => {
    const me = holders.mine(req)
    const factors = await within(database, me, tx => factorsOf(tx, me, secrets))
    // Beside a factor that there is, the key of another one is shown to who has just used that.
    const shown = !factors.passkeys || proven(req, 'second')
    const uri = shown && factors.begun && uriOf(factors.begun, req.portal.workspace.name, me.email)
    res.answer('account/second-factor', {
      ...factors,
      demand: holders.demand(req),
      mailsCodes: holders.mailsCodes,
      uri,
      qr: uri && squares(uri),
      saved: String(req.query.saved ?? ''),
    })
  }

function settingUp({ holders, limits, secrets }: Parts, show: RequestHandler): Router {
  const router = Router()
  const { signedIn, mine, inside, changed } = holders

  router.get('/account/second-factor', signedIn, show)

  router.post('/account/second-factor', signedIn, stepUp('account.factor'), async (req, res) => {
    await inside(req, tx => beginApp(tx, mine(req), secrets))
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
        if (!(await useApp(tx, mine(req), code, secrets, true)))
          throw new Invalid(
            { code: ['This code does not fit. Look whether the clock of your phone is right, and type the next one.'] },
            {},
          )
        await changed(tx, req, { event: 'account.factor-added' }, 'factor-added')
        return newRecoveryCodes(tx, mine(req))
      })
      await succeeded()
      req.portal.aside.session.proofs?.push({ by: 'totp', at: req.portal.now.getTime() })
      showCodes(req, res, mine(req).email, codes)
    },
    otherwise(show),
  )

  return router
}

function doingWithout({ holders, secrets }: Parts, show: RequestHandler): Router {
  const router = Router()
  const { signedIn, mine, inside, changed, demand } = holders

  router.post('/account/second-factor/recovery-codes', signedIn, stepUp('account.factor'), async (req, res) => {
    const codes = await inside(req, async tx => {
      if (!(await factorsOf(tx, mine(req), secrets)).app) throw new Forbidden()
      await note(tx, req, { event: 'account.recovery-renewed' })
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
        if (demand(req) && !passkeys)
          throw new Invalid({ factor: ['Your company’s portal asks for a second factor: it stays on.'] }, {})
        await dropApp(tx, mine(req))
        await changed(tx, req, { event: 'account.factor-removed' }, passkeys ? 'factor-fewer' : 'factor-removed')
      })
      res.redirect(303, req.portal.url('/account/second-factor?saved=off'))
    },
    otherwise(show),
  )

  return router
}

/** Codes are shown with the answer, and never again. */
export const showCodes = (req: Request<any>, res: Response, email: string, codes: string[]) =>
  res.answer('account/recovery-codes', {
    codes,
    file: [`${req.portal.workspace.name}, ${email}`, '', ...codes, ''].join('\r\n'),
  })

const Typed = z.object({
  code: z.string('Type a code.').trim().min(1, 'Type a code.').max(100, 'Type a code.'),
})
