import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import { readCookie } from '../http/cookies.ts'
import { Invalid } from '../http/errors.ts'
import { recordEvent, recordEventIn } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import { storedSettings } from '../plugin/stored-settings.ts'
import { recordDevice } from './devices.ts'
import { keepFactors } from './factors.ts'
import type { Account, MailContext } from './mail-context.ts'
import { mfaPolicyName, parseMfaPolicy } from './mfa-policy.ts'
import { markReplaced, pruneSessions, type SessionData, saveSession, type Verification } from './sessions.ts'

interface Parts {
  database: Knex
  mailContext: MailContext | undefined
}

interface SignInRequest {
  account: Account
  /** The page to continue to. */
  next: unknown
  /** How they were verified. */
  verifications: Verification[]
}

/**
 * Begins a session, for every sign-in method: the only way to get one. A person with a second factor must use it.
 * Redirects to the page they wanted, or to the missing step.
 */
export async function signIn(
  parts: Parts,
  req: Request<any>,
  res: Response,
  { account, next, verifications }: SignInRequest,
) {
  const [first, ...others] = verifications
  if (!first) throw new Error('nothing was proven')
  rememberSignInMethod(req, res, account, first.by)
  if (!account.factor || [first, ...others].some(isSecondFactor))
    return beginSession(parts, req, res, { account, next, verifications })
  const half = { person: account.id, email: account.email, next: safeRedirect(req, next), proof: first }
  await renewSession(req, { workspace: req.portal.workspace.id, pendingFactor: half })
  res.redirect(303, req.portal.url('/sign-in/second-factor'))
}

/** Called by `signIn` only. */
async function beginSession(
  parts: Parts,
  req: Request<any>,
  res: Response,
  { account, next, verifications }: SignInRequest,
) {
  const { workspace } = req.portal
  const { id, name, memberships, factor } = account
  const { client, role } = memberships[0] ?? {}
  await renewSession(req, { workspace: workspace.id, person: id, ...(client && { client }), verifications })
  const actor = { kind: 'client' as const, id, name, ...(client && { client }) }
  const { title } = verifications[0] ?? {}
  await recordEvent(
    req,
    title ? { event: 'account.signed-in-with', subject: { title }, actor } : { event: 'account.signed-in', actor },
  )
  if (verifications.some(isSecondFactor)) await keepSecondFactor(parts.database, req, actor)
  await recordDevice(parts, req, res, account)
  await pruneSessions(parts.database)
  const mfaPolicy = factor
    ? undefined
    : parseMfaPolicy((await storedSettings<string>(parts.database, workspace.id)).get(mfaPolicyName))
  const reminded = role && mfaPolicy?.roles.includes(role)
  res.redirect(303, reminded ? req.portal.url('/account/second-factor') : safeRedirect(req, next))
}

const isSecondFactor = ({ by }: Verification) => secondFactorMethods.includes(by)

export const secondFactorMethods: Verification['by'][] = ['totp', 'recovery', 'passkey']

/** Cancels a pending removal of second factors by staff, since the person has just used one. */
export async function keepSecondFactor(
  database: Knex,
  req: Request<any>,
  { id, name, client }: { id: string; name: string; client?: string },
) {
  const whose = { workspace: req.portal.workspace.id, person: id }
  await within(database, whose, async tx => {
    if (await keepFactors(tx, whose))
      await recordEventIn(tx, req, {
        event: 'account.factor-kept',
        actor: { kind: 'client', id, name, ...(client && { client }) },
      })
  })
}

/** Remembers the sign-in method on this device for a year, but not who used it. */
function rememberSignInMethod(
  req: Request<any>,
  res: Response,
  { password_hash: chosen }: Account,
  by: Verification['by'],
) {
  if (by === 'passkey' || by === 'custom') return
  const way = by === 'password' || (by === 'invitation' && chosen) ? 'password' : 'code'
  res.cookie('portico.way', way, {
    path: req.portal.url(''),
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure,
    maxAge: 365 * 86_400_000,
  })
}

export const rememberedSignInMethod = (req: Request<any>) =>
  (['password', 'code'] as const).find(it => it === readCookie(req, 'portico.way'))

/** Counts a failed sign-in and shows the error beside the field. */
export async function refuseSignIn(
  req: Request<any>,
  email: string,
  field: string,
  sentence: string,
  typed: object,
): Promise<never> {
  await recordEvent(req, {
    event: 'account.sign-in-failed',
    subject: { email },
    actor: { kind: 'nobody', name: email },
  })
  throw new Invalid({ [field]: [sentence] }, typed)
}

/** Replaces the session id, so that an id known before sign-in is useless (OWASP ASVS 5.0, 7.2.4). */
export async function renewSession(req: Request<any>, held: SessionData) {
  const { sessionRequest } = req.portal
  if (held.person && sessionRequest.session.person === held.person) await markReplaced(req)
  await new Promise<void>((resolve, reject) =>
    sessionRequest.session.regenerate(error => (error ? reject(error) : resolve())),
  )
  const { ip: address, headers } = req
  Object.assign(sessionRequest.session, held, { address, agent: headers['user-agent']?.slice(0, 300) })
  await saveSession(req)
}

/** Returns a page of this portal to continue to. Addresses outside of it are ignored (open redirect). */
export function safeRedirect(req: Request<any>, next: unknown): string {
  const home = req.portal.url('/')
  if (typeof next !== 'string') return home
  const ours = URL.parse(next, 'http://portal.invalid')
  const inside =
    ours?.host === 'portal.invalid' && ours.pathname.startsWith(home) && !ours.pathname.startsWith(`${home}api/`)
  return inside ? ours.pathname + ours.search : home
}
