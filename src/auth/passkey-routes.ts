import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { query, within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { read } from '../form.ts'
import { anybody, anyMember, stepUp } from '../section.ts'
import { demandOf } from './demand.ts'
import { enter, refuse } from './enter.ts'
import { factorsOf, newRecoveryCodes } from './factors.ts'
import { list, type Passkeys, removePasskey } from './passkeys.ts'
import { accountOf, mayEnter } from './people.ts'
import { endOthers } from './reset.ts'
import { halfOf, showCodes, tellFactor } from './second-factor.ts'
import type { Ways } from './way.ts'

interface Parts extends Pick<Ways, 'database' | 'limits' | 'secrets'> {
  keys: Passkeys
  mailed: Ways | undefined
  /** Whether one is enough to sign in; as second factor, and before chosen actions, it always does. */
  alone(req: Request): Promise<boolean>
  /** The sign-in page, which says what was wrong. */
  show: RequestHandler
}

/** Coming in by a passkey, which is both factors in one; and one's own passkeys. */
export function passkeyRoutes({ alone, database, keys, limits, mailed, secrets, show }: Parts): Router {
  const router = Router()
  const [secret = ''] = secrets

  router.get('/sign-in/passkey', anybody, async (req, res) => {
    if (!halfOf(req) && !req.portal.customer && !(await alone(req)))
      return res.redirect(303, req.portal.url('/sign-in'))
    res.set('Cache-Control', 'no-store').json(await keys.request(req))
  })

  router.post(
    '/sign-in/passkey',
    anybody,
    async (req, res) => {
      const workspace = req.portal.workspace.id
      const { credential, next } = read(Used, req)
      const half = halfOf(req)
      const enough = await alone(req)
      if (!half && !enough) return res.redirect(303, req.portal.url('/sign-in'))
      const succeeded = await limits.count(req, {})
      const person = await keys.prove(req, credential)
      const account = await within(database, { workspace }, tx => holder(tx, workspace, person, half))
      if (!mayEnter(account) || !(enough || half?.person === account.id))
        return refuse(req, '', 'passkey', 'This passkey opens nothing here. Sign in another way.', { next })
      await succeeded()
      const proof = { by: 'passkey' as const, at: req.portal.now.getTime() }
      const proofs = half?.person === account.id ? [half.proof, proof] : [proof]
      await enter({ database, mailed }, req, res, { account, next: half ? half.next : next, proofs })
    },
    otherwise(show),
  )

  const mine = (req: Parameters<RequestHandler<any>>[0]) => ({
    workspace: req.portal.workspace.id,
    person: req.portal.customer.person.id,
  })

  const showOwn: RequestHandler = async (req, res) => {
    res.answer('account/passkeys', { passkeys: await list(database, mine(req)), saved: req.query.saved === '' })
  }

  router.get('/account/passkeys', anyMember, showOwn)

  router.get('/account/passkeys/options', anyMember, async (req, res) => {
    res.set('Cache-Control', 'no-store').json(await keys.creation(req))
  })

  router.post(
    '/account/passkeys',
    anyMember,
    stepUp('account.factor'),
    async (req, res) => {
      const { credential, name } = read(Made, req)
      const codes = await within(database, mine(req), async tx => {
        const before = await factorsOf(tx, mine(req), secrets)
        if (!(await keys.add(tx, req, name, credential)))
          throw new Invalid({ credential: ['The passkey could not be made. Please try again.'] }, { name })
        await endOthers(tx, req)
        await note(tx, req, { event: 'account.passkey-added', subject: { name } })
        await tellFactor(mailed, req, tx, 'passkey-added')
        return before.recovery ? [] : newRecoveryCodes(tx, mine(req), secret)
      })
      mailed?.outbox.wake()
      req.portal.aside.session.proofs?.push({ by: 'passkey', at: req.portal.now.getTime() })
      if (codes.length) return showCodes(req, res, codes)
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    otherwise(showOwn),
  )

  router.post(
    '/account/passkeys/:passkey/removal',
    anyMember,
    stepUp('account.factor'),
    async (req, res) => {
      await within(database, mine(req), async tx => {
        if (!(await removePasskey(tx, mine(req), String(req.params.passkey)))) throw new NotFound()
        const { app, passkeys } = await factorsOf(tx, mine(req), secrets)
        if (demandOf(req.portal) && !app && !passkeys)
          throw new Invalid(
            { credential: ['Your company’s portal asks for a second factor: set up another one first.'] },
            {},
          )
        await endOthers(tx, req)
        await note(tx, req, { event: 'account.passkey-removed' })
        await tellFactor(mailed, req, tx, app || passkeys ? 'factor-fewer' : 'factor-removed')
      })
      mailed?.outbox.wake()
      res.redirect(303, req.portal.url('/account/passkeys?saved'))
    },
    otherwise(showOwn),
  )

  return router
}

/** Whoever is on the way in already, where this passkey is that human's; else whose it is. */
async function holder(tx: Knex, workspace: string, person: string | undefined, half: ReturnType<typeof halfOf>) {
  if (!person) return undefined
  const first = half && (await accountOf(tx, workspace, half.email))
  if (first?.id === half?.person && first?.persons.includes(person)) return first
  const [row] = await query<{ email: string }>(tx, {
    text: 'select email from portal.client_users where workspace_id = $1 and id = $2',
    values: [workspace, person],
  })
  return row && accountOf(tx, workspace, row.email)
}

const Used = z.object({ credential: z.string().catch(''), next: z.string().optional().catch(undefined) })

const Made = z.object({
  name: z.string('Type a name.').trim().min(1, 'Type a name.').max(60, 'Use at most 60 characters.'),
  credential: z.string().catch(''),
})
