import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Knex } from 'knex'
import type { z } from 'zod'
import { sendCode } from '../auth/codes.ts'
import { useAuthenticatorCode } from '../auth/factors.ts'
import type { Account, MailContext } from '../auth/mail-context.ts'
import { photoOf } from '../auth/photos.ts'
import type { Verification as Proven } from '../auth/sessions.ts'
import { keepSecondFactor } from '../auth/sign-in.ts'
import { signInMethodsOf } from '../auth/sign-in-methods.ts'
import type { Authenticate, ClientUsers } from '../auth/strategies.ts'
import { Invalid, InvalidToken, NotFound, Refreshed } from '../http/errors.ts'
import { read } from '../http/forms.ts'
import { anybody } from '../http/rules.ts'
import { recordEvent } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { anyMember } from '../plugin/permissions.ts'
import type { Host, Section } from '../plugin/plugin.ts'
import { openapi } from './openapi.ts'
import { Asked, Me, MyPhoto, Proof, Requested, Tokens } from './shapes.ts'
import { type Granted, grant, lives, revoke, turn } from './tokens.ts'

type SignedInBy = Proven['by']

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  authenticate: Authenticate<ClientUsers>
  host: Host
  log: Log
  sections: Section[]
  /** Undefined where no mail is sent. */
  mailContext: MailContext | undefined
}

/** Signs programs in and out, with the same verifications and limits as people. */
export function api(parts: Parts): Router {
  const { database, host, mailContext, sections } = parts
  const router = Object.assign(Router(), { at: '/api/v1' })
  let description: ReturnType<typeof openapi> | undefined

  if (mailContext) router.post('/codes', anybody, requestCode(mailContext))
  router.post('/tokens', anybody, giveTokens(parts))
  router.delete('/tokens/current', anyMember, endToken(database))
  router.get('/openapi.json', anybody, (req, res) => {
    description ??= openapi(sections, { host, mails: mailContext !== undefined })
    res.set('Cache-Control', 'public, max-age=300').json({ ...description, servers: [{ url: req.portal.url('') }] })
  })
  router.get('/me', anyMember, showMe)
  router.get('/me/photo', anyMember, showMyPhoto(database))
  return router
}

const requestCode =
  (mailContext: MailContext): RequestHandler =>
  async (req, res) => {
    const methods = await signInMethodsOf(mailContext.database, req.portal.workspace.id, true)
    if (!methods.code) throw new NotFound()
    const request = await sendCode(mailContext, req, read(Asked, req).email)
    give(res.status(202), Requested, { request })
  }

const giveTokens =
  (parts: Parts): RequestHandler =>
  async (req, res) => {
    const proof = read(Proof, req)
    if (proof.grant === 'refresh')
      return give(res, Tokens, tokenResponse(await refreshed(parts, req, proof.refresh_token)))
    give(res.status(201), Tokens, tokenResponse(await signInBy(parts, req, proof)))
  }

type SignInProof = Exclude<z.infer<typeof Proof>, { grant: 'refresh' }>

/** Throws Invalid for a wrong proof, or for a person who has no such client. */
async function signInBy(parts: Parts, req: Request, proof: SignInProof): Promise<Granted> {
  const { id: workspace } = req.portal.workspace
  const { account, succeeded } = await verifyProof(parts, req, proof)
  const membership = account?.memberships.find(it => !proof.client || it.client === proof.client)
  if (!account || !membership) {
    await recordFailure(req, account?.email ?? '')
    throw new Invalid({ [proof.grant]: [wrong] }, {})
  }
  await succeeded()
  const { id, name } = account
  const { client } = membership
  const by: SignedInBy[] = [proof.grant]
  if (account.factor) {
    by.push(await verifySecondFactor(parts, req, account, proof.second_factor))
    await keepSecondFactor(parts.database, req, { id, name, client })
  }
  const tokens = await within(parts.database, { workspace }, tx =>
    grant(tx, { workspace, person: id, client }, { name: proof.name || agentOf(req), by }),
  )
  await recordEvent(req, { event: 'account.signed-in', actor: { kind: 'client', id, name, client } })
  return tokens
}

const recordFailure = (req: Request, email: string) =>
  recordEvent(req, {
    event: 'account.sign-in-failed',
    subject: { email },
    actor: { kind: 'nobody', name: email },
  })

async function verifyProof({ authenticate, database, limits, mailContext }: Parts, req: Request, proof: SignInProof) {
  const methods = await signInMethodsOf(database, req.portal.workspace.id, mailContext !== undefined)
  if (!methods[proof.grant]) throw new NotFound()
  if (proof.grant === 'code') return authenticate(req, 'code', { body: proof })
  const succeeded = await limits.count(req, { account: proof.email, password: proof.password })
  const { account } = await authenticate(req, 'password', { body: proof })
  return { account, succeeded }
}

/** Accepts only the app's code: recovery codes are for people in a browser. */
async function verifySecondFactor(
  { database, limits, secrets }: Parts,
  req: Request,
  { id, persons }: Account,
  code: string | undefined,
): Promise<SignedInBy> {
  const { id: workspace } = req.portal.workspace
  if (!code) throw new Invalid({ second_factor: [needed] }, {})
  const succeeded = await limits.count(req, { account: `factor ${id}` })
  const used = await within(database, { workspace }, async tx => {
    for (const person of persons) if (await useAuthenticatorCode(tx, { workspace, person }, code, secrets)) return true
    return false
  })
  if (!used) throw new Invalid({ second_factor: [wrong] }, {})
  await succeeded()
  return 'totp'
}

async function refreshed({ database, limits, log }: Parts, req: Request, token: string): Promise<Granted> {
  const { id: workspace, slug } = req.portal.workspace
  const succeeded = await limits.count(req, {})
  await succeeded()
  const found = await within(database, { workspace }, tx => turn(tx, workspace, token))
  if (found === 'late') throw new Refreshed()
  if (found === 'reused') {
    log.warn(
      { workspace: slug, request: req.portal.id, alert: 'token-reused' },
      'a refresh token was used twice: its sign-in has ended',
    )
    await recordEvent(req, { event: 'account.token-reused', actor: { kind: 'nobody' } })
  }
  if (!found || found === 'reused') throw new InvalidToken()
  return found
}

const endToken =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { bearer, workspace, customer } = req.portal
    if (!bearer) throw new NotFound()
    await within(database, { workspace: workspace.id }, tx => revoke(tx, workspace.id, bearer.id, customer.person.id))
    await recordEvent(req, { event: 'account.signed-out' })
    res.status(204).end()
  }

const showMe: RequestHandler = (req, res) => {
  const { person, client, role } = req.portal.customer
  const { phone = null, language = null, timeZone = null } = person
  const { photo = null } = person
  const whose = { ...person, phone, language, timeZone, photo }
  give(res, Me, { person: whose, client, role, permissions: req.portal.allowed() })
}

const showMyPhoto =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { id: workspace } = req.portal.workspace
    const found = await within(database, { workspace }, tx => photoOf(tx, { workspace }, req.portal.customer.person.id))
    give(res, MyPhoto, { photo: found ? { type: found.type, bytes: found.bytes.toString('base64') } : null })
  }

const needed = 'Send a code of the authenticator app as well: second_factor.'
const wrong = 'This verification is wrong or has expired.'

const tokenResponse = ({ access, refresh }: Granted): z.infer<typeof Tokens> => ({
  token_type: 'Bearer',
  access_token: access,
  expires_in: lives.access,
  refresh_token: refresh,
  refresh_expires_in: lives.refresh,
})

/** The name of a program that was given none: its User-Agent header. */
const agentOf = (req: Request) => req.get('User-Agent')?.slice(0, 60) ?? ''

/** Sends a response that must not be cached (RFC 6749, 5.1). */
const give = <T>(res: Response, shape: z.ZodType<T>, it: T) =>
  void res.set('Cache-Control', 'no-store').json(shape.parse(it))
