import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { within } from '../database.ts'
import { Forbidden, Invalid } from '../errors.ts'
import { read } from '../form.ts'
import { squares } from '../qr.ts'
import { anybody, anyMember, stepUp } from '../section.ts'
import { demandOf } from './demand.ts'
import { disowning } from './disown.ts'
import { enter, refuse } from './enter.ts'
import { beginApp, dropApp, type Factors, factorsOf, newRecoveryCodes, uriOf, useApp, useSecond } from './factors.ts'
import { accountOf, mayEnter } from './people.ts'
import { endOthers } from './reset.ts'
import { proven } from './step-up.ts'
import { linkTo, mailing, type Ways, write } from './way.ts'

interface Parts {
  database: Knex
  limits: Ways['limits']
  mailed: Ways | undefined
  secrets: string[]
}

/** How long after the first factor the second may come, in milliseconds. */
const patience = 10 * 60_000

/** An authenticator app as second factor: setting it up, signing in with it, and doing without it again. */
export function secondFactor({ database, limits, mailed, secrets }: Parts): Router {
  const router = Router()
  const [secret = ''] = secrets
  const inside = <T>(req: Request<any>, work: (tx: Knex.Transaction) => Promise<T>) =>
    mailed ? mailing(mailed, req, work) : within(database, { workspace: req.portal.workspace.id }, work)
  const mine = (req: Request<any>) => ({ workspace: req.portal.workspace.id, person: req.portal.customer.person.id })

  /** Which second factors whoever is on the way in has. */
  const hasOf = (req: Request<any>) =>
    within(database, { workspace: req.portal.workspace.id }, async tx => {
      const workspace = req.portal.workspace.id
      const account = await accountOf(tx, workspace, halfOf(req)?.email ?? '')
      const all: Factors[] = []
      for (const person of account?.persons ?? []) all.push(await factorsOf(tx, { workspace, person }, secrets))
      const sum = (of: 'passkeys' | 'recovery') => all.reduce((total, it) => total + it[of], 0)
      return { app: all.some(it => it.app), passkeys: sum('passkeys'), recovery: sum('recovery') }
    })

  const showSignIn: RequestHandler = async (req, res) => {
    if (!halfOf(req)) return res.redirect(303, req.portal.url('/sign-in'))
    req.portal.frame = 'solo'
    res.answer('auth/second-factor', { ...(await hasOf(req)) })
  }

  router.get('/sign-in/second-factor', anybody, showSignIn)

  router.post(
    '/sign-in/second-factor',
    anybody,
    async (req, res) => {
      const half = halfOf(req)
      if (!half) return res.redirect(303, req.portal.url('/sign-in'))
      const { code } = read(Typed, req)
      const whose = { workspace: req.portal.workspace.id, person: half.person }
      const succeeded = await limits.count(req, { account: `factor ${half.person}` })
      const account = await within(database, whose, tx => accountOf(tx, whose.workspace, half.email))
      const persons = account?.id === half.person ? account.persons : []
      const by = await inside(req, tx => useSecond(tx, { workspace: whose.workspace, persons }, code, secrets))
      if (!by || !mayEnter(account) || account.id !== half.person)
        return refuse(req, half.email, 'code', 'This code is wrong, or was used already.', {})
      await succeeded()
      if (by === 'recovery') await inside(req, tx => tellUsed(req, tx, account))
      const proofs = [half.proof, { by, at: req.portal.now.getTime() }]
      await enter({ database, mailed }, req, res, { account, next: half.next, proofs })
    },
    otherwise(showSignIn),
  )

  const show: RequestHandler = async (req, res) => {
    const { customer, workspace } = req.portal
    const factors = await within(database, { workspace: workspace.id }, tx => factorsOf(tx, mine(req), secrets))
    // Beside a factor that there is, the key of another one is shown to who has just used that.
    const shown = !factors.passkeys || proven(req, 'second')
    const uri = shown && factors.begun && uriOf(factors.begun, workspace.name, customer.person.email)
    res.answer('account/second-factor', {
      ...factors,
      demand: demandOf(req.portal),
      uri,
      qr: uri && squares(uri),
      saved: String(req.query.saved ?? ''),
    })
  }

  router.get('/account/second-factor', anyMember, show)

  router.post('/account/second-factor', anyMember, stepUp('account.factor'), async (req, res) => {
    await inside(req, tx => beginApp(tx, mine(req), secrets))
    res.redirect(303, req.portal.url('/account/second-factor'))
  })

  router.post(
    '/account/second-factor/confirmation',
    anyMember,
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
        await endOthers(tx, req)
        await note(tx, req, { event: 'account.factor-added' })
        await tellFactor(mailed, req, tx, 'factor-added')
        return newRecoveryCodes(tx, mine(req), secret)
      })
      await succeeded()
      req.portal.aside.session.proofs?.push({ by: 'totp', at: req.portal.now.getTime() })
      showCodes(req, res, codes)
    },
    otherwise(show),
  )

  router.post('/account/second-factor/recovery-codes', anyMember, stepUp('account.factor'), async (req, res) => {
    const codes = await inside(req, async tx => {
      if (!(await factorsOf(tx, mine(req), secrets)).app) throw new Forbidden()
      await note(tx, req, { event: 'account.recovery-renewed' })
      return newRecoveryCodes(tx, mine(req), secret)
    })
    showCodes(req, res, codes)
  })

  router.post(
    '/account/second-factor/removal',
    anyMember,
    stepUp('account.factor'),
    async (req, res) => {
      await inside(req, async tx => {
        const { app, passkeys } = await factorsOf(tx, mine(req), secrets)
        if (!app) throw new Forbidden()
        if (demandOf(req.portal) && !passkeys)
          throw new Invalid({ factor: ['Your company’s portal asks for a second factor: it stays on.'] }, {})
        await dropApp(tx, mine(req))
        await endOthers(tx, req)
        await note(tx, req, { event: 'account.factor-removed' })
        await tellFactor(mailed, req, tx, passkeys ? 'factor-fewer' : 'factor-removed')
      })
      res.redirect(303, req.portal.url('/account/second-factor?saved=off'))
    },
    otherwise(show),
  )

  const tellUsed = async (req: Request<any>, tx: Knex, account: NonNullable<Awaited<ReturnType<typeof accountOf>>>) => {
    const { recovery } = await factorsOf(tx, { workspace: req.portal.workspace.id, person: account.id }, secrets)
    await note(tx, req, {
      event: 'account.recovered',
      actor: { kind: 'client', id: account.id, name: account.name, client: account.memberships[0]?.client ?? '' },
    })
    if (mailed)
      await write(
        mailed,
        req,
        tx,
        'recovered',
        { ...account, person: account.id },
        {
          facts: { left: recovery },
          url: linkTo(mailed, req, '/forgot-password'),
        },
      )
  }

  return router
}

/** Codes are shown with the answer, and never again. */
export const showCodes = (req: Request<any>, res: Response, codes: string[]) =>
  res.answer('account/recovery-codes', {
    codes,
    file: [`${req.portal.workspace.name}, ${req.portal.customer.person.email}`, '', ...codes, ''].join('\r\n'),
  })

export async function tellFactor(
  mailed: Ways | undefined,
  req: Request<any>,
  tx: Knex,
  kind: 'factor-added' | 'passkey-added' | 'factor-fewer' | 'factor-removed',
) {
  const { person } = req.portal.customer
  if (mailed)
    await write(
      mailed,
      req,
      tx,
      kind,
      { ...person, person: person.id },
      {
        facts: ({ time }) => ({ time: time(req.portal.now) }),
        url: await disowning(mailed, req, tx, person),
      },
    )
}

/** Who has shown the first factor in this session and not the second, as long as that counts. */
export function halfOf(req: Request<any>) {
  const { half, workspace } = req.portal.aside.session
  return half && workspace === req.portal.workspace.id && half.proof.at > req.portal.now.getTime() - patience
    ? half
    : undefined
}

const Typed = z.object({
  code: z.string('Type a code.').trim().min(1, 'Type a code.').max(100, 'Type a code.'),
})
