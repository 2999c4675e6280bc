import { type Request, type Response, Router } from 'express'
import { Passport } from 'passport'
import type { z } from 'zod'
import { record } from '../activity.ts'
import { sendCode } from '../auth/codes.ts'
import { keep } from '../auth/enter.ts'
import { useApp } from '../auth/factors.ts'
import { offered } from '../auth/offered.ts'
import { password } from '../auth/password.ts'
import { accountOf } from '../auth/people.ts'
import type { Proof as Proven } from '../auth/sessions.ts'
import { tryCode } from '../auth/typed-code.ts'
import type { Account, Ways } from '../auth/way.ts'
import type { Identity } from '../crm.ts'
import { within } from '../database.ts'
import { BadToken, Invalid, NotFound, Refreshed } from '../errors.ts'
import { read } from '../form.ts'
import type { Log } from '../log.ts'
import { anybody, anyMember, type Section } from '../section.ts'
import { openapi } from './openapi.ts'
import { Asked, Me, Proof, Requested, Tokens } from './shapes.ts'
import { type Granted, grant, lives, revoke, turn } from './tokens.ts'

type SignedInBy = Proven['by']

interface Parts extends Pick<Ways, 'database' | 'limits' | 'secrets'> {
  identity: Identity | undefined
  log: Log
  sections: Section[]
  /** The ways that need mail, where there is any. */
  mailed: Ways | undefined
}

/** How a program gets in, and out: the same proofs and limits as for a person. */
export function api({ database, identity, limits, log, mailed, secrets, sections }: Parts): Router {
  const router = Object.assign(Router(), { at: '/api/v1' })
  const passport = new Passport().use('password', password(database, identity))
  const check = (req: Request, res: Response) =>
    new Promise<Account | undefined>((resolve, reject) =>
      passport.authenticate('password', { session: false }, (error: unknown, account?: Account | false) =>
        error ? reject(error) : resolve(account || undefined),
      )(Object.assign(Object.create(req), { body: req.portal.body }), res, reject),
    )

  if (mailed)
    router.post('/codes', anybody, async (req, res) => {
      if (!(await offered(database, req.portal.workspace.id, true)).code) throw new NotFound()
      give(res.status(202), Requested, { request: await sendCode(mailed, req, read(Asked, req).email) })
    })

  router.post('/tokens', anybody, async (req, res) => {
    const proof = read(Proof, req)
    const { id: workspace } = req.portal.workspace
    if (proof.grant === 'refresh') return give(res, Tokens, told(await turned(req, proof.refresh_token)))
    const { account, succeeded } = await proven(req, res, proof)
    const membership = account?.memberships.find(it => !proof.client || it.client === proof.client)
    if (!account || account.suspended || !membership) {
      await record(req, {
        event: 'account.sign-in-failed',
        subject: { email: account?.email ?? '' },
        actor: { kind: 'nobody', name: account?.email ?? '' },
      })
      throw new Invalid({ [proof.grant]: [wrong] }, {})
    }
    await succeeded()
    const { id, name } = account
    const by: SignedInBy[] = [proof.grant]
    const its = { workspace, person: id, client: membership.client }
    if (account.factor) {
      by.push(await second(req, account, proof.second_factor))
      await keep(database, req, { id, name, client: its.client })
    }
    const tokens = await within(database, { workspace }, tx => grant(tx, its, { name: proof.name || agentOf(req), by }))
    await record(req, { event: 'account.signed-in', actor: { kind: 'client', id, name, client: its.client } })
    give(res.status(201), Tokens, told(tokens))
  })

  router.delete('/tokens/current', anyMember, async (req, res) => {
    const { bearer, workspace, customer } = req.portal
    if (!bearer) throw new NotFound()
    await within(database, { workspace: workspace.id }, tx => revoke(tx, workspace.id, bearer.id, customer.person.id))
    await record(req, { event: 'account.signed-out' })
    res.status(204).end()
  })

  const description = openapi(sections, { mails: mailed !== undefined })
  router.get('/openapi.json', anybody, (req, res) => {
    res.set('Cache-Control', 'public, max-age=300').json({ ...description, servers: [{ url: req.portal.url('') }] })
  })

  router.get('/me', anyMember, (req, res) => {
    const { person, client, role } = req.portal.customer
    give(res, Me, { person, client, role, permissions: req.portal.allowed() })
  })

  return router

  async function proven(req: Request, res: Response, proof: Exclude<z.infer<typeof Proof>, { grant: 'refresh' }>) {
    const { id: workspace } = req.portal.workspace
    const ways = await offered(database, workspace, mailed !== undefined)
    if (!ways[proof.grant]) throw new NotFound()
    if (proof.grant === 'password') {
      const succeeded = await limits.count(req, { account: proof.email, password: proof.password })
      return { succeeded, account: await check(req, res) }
    }
    const [secret = ''] = mailed?.secrets ?? []
    const { request: id, code } = proof
    const { used, succeeded } = await tryCode({ database, limits }, req, { kind: 'sign-in', id, code, secret })
    return {
      succeeded,
      account: used && (await within(database, { workspace }, tx => accountOf(tx, workspace, used.email))),
    }
  }

  /** Only the app's code: recovery codes are for a person at a browser. */
  async function second(req: Request, { id, persons }: Account, code: string | undefined): Promise<SignedInBy> {
    const { id: workspace } = req.portal.workspace
    if (!code) throw new Invalid({ second_factor: [needed] }, {})
    const succeeded = await limits.count(req, { account: `factor ${id}` })
    const used = await within(database, { workspace }, async tx => {
      for (const person of persons) if (await useApp(tx, { workspace, person }, code, secrets)) return true
      return false
    })
    if (!used) throw new Invalid({ second_factor: [wrong] }, {})
    await succeeded()
    return 'totp'
  }

  async function turned(req: Request, token: string): Promise<Granted> {
    const { id: workspace, slug } = req.portal.workspace
    await limits.count(req, {}).then(taken => taken())
    const found = await within(database, { workspace }, tx => turn(tx, workspace, token))
    if (found === 'late') throw new Refreshed()
    if (found === 'reused') {
      log.warn(
        { workspace: slug, request: req.portal.id, alert: 'token-reused' },
        'a refresh token was used twice: its sign-in has ended',
      )
      await record(req, { event: 'account.token-reused', actor: { kind: 'nobody' } })
    }
    if (!found || found === 'reused') throw new BadToken()
    return found
  }
}

const needed = 'Send a code of the authenticator app as well: second_factor.'
const wrong = 'This proof is wrong, was used, or its time is over.'

const told = ({ access, refresh }: Granted): z.infer<typeof Tokens> => ({
  token_type: 'Bearer',
  access_token: access,
  expires_in: lives.access,
  refresh_token: refresh,
  refresh_expires_in: lives.refresh,
})

/** What a program calls itself, where nobody said how it is to be called. */
const agentOf = (req: Request) => req.get('User-Agent')?.slice(0, 60) ?? ''

/** Nobody keeps it on the way (RFC 6749, 5.1). */
const give = <T>(res: Response, shape: z.ZodType<T>, it: T) =>
  void res.set('Cache-Control', 'no-store').json(shape.parse(it))
