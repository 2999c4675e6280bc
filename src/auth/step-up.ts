import { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import type { Identity } from '../crm/crm.ts'
import { Invalid, RateLimited, VerificationRequired } from '../http/errors.ts'
import { recordEvent } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import type { AssuranceLevel, StepUp } from '../plugin/parts.ts'
import { anyMember } from '../plugin/permissions.ts'
import type { Section } from '../plugin/plugin.ts'
import type { PluginHost } from '../plugin/registry.ts'
import type { SettingRow } from '../plugin/toggles.ts'
import { type FactorOwner, useSecondFactor } from './factors.ts'
import { type Account, type MailContext, sendMail, withMail } from './mail-context.ts'
import type { Passkeys } from './passkeys.ts'
import { accountOf } from './people.ts'
import type { SessionData, Verification } from './sessions.ts'
import { keepSecondFactor, renewSession, safeRedirect, secondFactorMethods } from './sign-in.ts'
import { issueToken } from './tokens.ts'
import { verifyTypedCode } from './typed-code.ts'
import { verifyPassword } from './verify-password.ts'

/** How long a verification is recent, in milliseconds, and how long a step-up code is valid, in minutes. */
const recentFor = 10 * 60_000
const codeMinutes = 10

interface Parts extends Pick<MailContext, 'database' | 'limits' | 'secrets'> {
  mailContext: MailContext | undefined
  keys: Passkeys
  actions: Map<string, StepUp>
  /** Returns the signed-in user and the methods that can verify them. */
  stepUpUser(req: Request): Promise<StepUpUser | undefined>
}

export interface StepUpUser {
  id: string
  email: string
  /** The accounts whose second factors count. */
  factorOwners: FactorOwner[]
  /** Whether they have a second factor, and which. */
  factor: boolean
  passkey: boolean
  app: boolean
  /** Whether they may have a password. */
  password: boolean
  /** Whether this is their password. */
  verifyPassword(typed: string): Promise<boolean>
  /** Mails a code and returns its id; absent where codes cannot be mailed. */
  sendCode?(): Promise<string>
  /** Called when a second factor was used. */
  factorUsed?(): Promise<void>
  /** The address that "Cancel" returns to. */
  back: string
}

/** The step-up for changing second factors, which stand-alone staff have as well. */
export const factorStepUp: [string, StepUp] = [
  'account.factor',
  { label: 'Set up a second factor', level: 'verification' },
]

/** Returns every action that has or may get a step-up, those of the account first. */
export function stepUpsOf(sections: Section[]): Map<string, StepUp> {
  const ofPlugins = sections.flatMap(it => Object.entries<StepUp>(it.stepUps ?? {}))
  const ofAccount = ofPlugins.filter(([action]) => action.startsWith('account.'))
  return new Map([...ownStepUps, ...ofAccount, ...ofPlugins])
}

/** Plugins register their actions here; the names of the core's actions are reserved. */
export const stepUpHost: PluginHost = {
  shape: {},
  add({ name, stepUps }) {
    const [action] = ownStepUps.find(([it]) => it in (stepUps ?? {})) ?? []
    if (action)
      throw new TypeError(`createPortal: plugin ${name}: stepUps.${action} is a step-up of the portal itself.`)
  },
}

const ownStepUps: [string, StepUp][] = [
  ['account.address', { label: 'Change the e-mail address', level: 'verification' }],
  factorStepUp,
  ['team.change', { label: 'Invite somebody, change roles and limits, or end access', level: 'verification' }],
]

/**
 * Requires a recent verification before the actions that the workspace protects (OWASP ASVS 5.0, 7.5.3). The step-up
 * page carries the form's fields and posts them to the same address with the verification. A route behind `stepUp` sees
 * only its own fields, once.
 */
export function clientStepUp({
  identity,
  ...parts
}: Omit<Parts, 'stepUpUser'> & { identity: Identity | undefined }): Router {
  const router = Router()
  router.use(provideStepUp({ ...parts, stepUpUser: req => clientStepUpUser({ ...parts, identity }, req) }))

  /** Step-up before a page that is shown by GET: a form posts here, and then continues to `next`. */
  router.post(
    '/step-up',
    anyMember,
    (req, res, next) => req.portal.requireStepUp(String(Object(req.portal.body)['step-up.action']), res, next),
    (req, res) => res.redirect(303, safeRedirect(req, Object(req.portal.body).next)),
  )

  return router
}

/** Provides `stepUp` to the routes behind it. */
export const provideStepUp =
  (parts: Parts): RequestHandler =>
  (req, _res, next) => {
    req.portal.requireStepUp = (action, res, next) => requireStepUp(parts, action, req, res, next)
    next()
  }

async function clientStepUpUser(
  { database, identity, mailContext }: Pick<Parts, 'database' | 'mailContext'> & { identity: Identity | undefined },
  req: Request,
): Promise<StepUpUser | undefined> {
  const { workspace, customer } = req.portal
  const { person, client } = customer
  const scope = { workspace: workspace.id }
  const account = await within(database, scope, tx => accountOf(tx, workspace.id, person.email))
  if (!account) return undefined
  return {
    ...account,
    factorOwners: account.persons.map(it => ({ workspace: workspace.id, person: it })),
    password: account.password_hash !== '' && (account.password_hash !== null || identity !== undefined),
    verifyPassword: typed => verifyPassword(identity, workspace, account, typed),
    sendCode: mailContext && (() => sendCode(mailContext, req, account)),
    factorUsed: () => keepSecondFactor(database, req, { ...person, client: client.id }),
    back: req.portal.url('/'),
  }
}

async function requireStepUp(parts: Parts, action: string, req: Request, res: Response, next: () => void) {
  const { body, wants } = req.portal
  const level = await requiredLevel(parts, req, action)
  const given = StepUpFields.parse(Object(body))
  if (body) req.portal.body = withoutStepUpFields(body)
  if (level === 'none' || hasRecentVerification(req, level)) return next()
  if (wants === 'json') throw new VerificationRequired()

  const who = await parts.stepUpUser(req)
  if (!who) throw new VerificationRequired()
  const methods = methodsOf(who, level)
  let sent = given['step-up.id']
  try {
    if (given['step-up.show'] === 'code' && methods.includes('code')) sent = await who.sendCode?.()
    const by = given['step-up.show'] ? undefined : await verify(parts, req, who, given, methods)
    if (by) {
      if (secondFactorMethods.includes(by)) await who.factorUsed?.()
      await renewSession(req, sessionWith(req, by))
      await recordEvent(req, { event: 'account.verified', subject: { by } })
      return next()
    }
    req.portal.problem = new VerificationRequired()
  } catch (error) {
    if (!(error instanceof Invalid || error instanceof RateLimited)) throw error
    if (error instanceof RateLimited) res.set('Retry-After', String(error.seconds))
    req.portal.problem = error
  }
  req.portal.frame = 'bare'
  res.respond('auth/step-up', {
    ...{ action, methods, sent, about: parts.actions.get(action)?.label, email: who.email, back: who.back },
    method: methods.find(it => it === (given['step-up.show'] ?? given['step-up.by'])) ?? methods[0],
    address: req.method === 'POST' ? req.originalUrl : req.portal.url('/step-up'),
    fields: req.method === 'POST' ? fieldsOf(req.portal.body) : [['next', req.originalUrl]],
  })
}

/**
 * Returns the level that this action requires of this person. Changing second factors requires an existing one,
 * whatever the workspace asks for (OWASP ASVS 5.0, 7.5.1); the first one can be set up without.
 */
async function requiredLevel({ actions, stepUpUser }: Parts, req: Request, action: string): Promise<AssuranceLevel> {
  const { user } = req.portal
  const wanted = configuredLevel(user?.settings ?? [], action) ?? actions.get(action)?.level ?? 'verification'
  if (action !== factorStepUp[0]) return wanted
  if ((await stepUpUser(req))?.factor) return 'second'
  return wanted === 'second' ? 'verification' : wanted
}

export const assuranceLevels = ['none', 'verification', 'second'] as const satisfies AssuranceLevel[]

/** Returns the level that the workspace has set for an action; undefined if it has set none. */
export function configuredLevel(settings: SettingRow[], action: string): AssuranceLevel | undefined {
  const row = settings.find(([client, person, name]) => !client && !person && name === `step-up.${action}`)
  return assuranceLevels.find(it => it === row?.[3])
}

/** Whether this session has such a verification within the last ten minutes. */
export function hasRecentVerification(
  { portal: { sessionRequest, now } }: Request<any>,
  level: AssuranceLevel,
): boolean {
  const since = now.getTime() - recentFor
  const verifications = sessionRequest.session.verifications ?? []
  // A texted code is enough to sign in and for nothing more: numbers can be taken over (NIST SP 800-63B-4, 3.1.3.3).
  const counts = ({ by }: Verification) => (level === 'second' ? secondFactorMethods.includes(by) : by !== 'text')
  return verifications.some(it => it.at > since && counts(it))
}

type StepUpMethod = 'passkey' | 'totp' | 'password' | 'code'

/** The methods, strongest first. Level `second` accepts only a second factor. */
const methodsOf = (who: StepUpUser, level: AssuranceLevel): StepUpMethod[] => [
  ...(who.passkey ? (['passkey'] as const) : []),
  // A recovery code replaces a passkey that is not at hand.
  ...(who.app || (who.passkey && level === 'second') ? (['totp'] as const) : []),
  ...(level !== 'second' && who.password ? (['password'] as const) : []),
  ...(level !== 'second' && who.sendCode ? (['code'] as const) : []),
]

/** The fields that the step-up page adds to a form. */
const StepUpFields = z.object({
  'step-up.by': z.enum(['passkey', 'totp', 'password', 'code']).optional().catch(undefined),
  'step-up.show': z.enum(['passkey', 'totp', 'password', 'code']).optional().catch(undefined),
  'step-up.password': z.string().catch(''),
  'step-up.code': z.string().catch(''),
  'step-up.credential': z.string().catch(''),
  'step-up.id': z.uuid().optional().catch(undefined),
})

/** The form's fields without those of the step-up page. */
export const withoutStepUpFields = (body: unknown): object =>
  Object.fromEntries(Object.entries(Object(body)).filter(([name]) => !name.startsWith('step-up.')))

/** The form's fields in their order, to be posted again. */
export const fieldsOf = (body: unknown): [string, string][] =>
  Object.entries(Object(body)).flatMap(([name, value]) =>
    [value].flat().map((it): [string, string] => [name, String(it)]),
  )

/** Returns how the person was verified; undefined if nothing was entered. Throws Invalid for the field. */
async function verify(
  { database, keys, limits, mailContext, secrets }: Parts,
  req: Request,
  who: StepUpUser,
  given: z.output<typeof StepUpFields>,
  methods: StepUpMethod[],
): Promise<Verification['by'] | undefined> {
  const { 'step-up.by': by, 'step-up.id': id, 'step-up.password': password, 'step-up.code': code } = given
  if (!by || !methods.includes(by) || (by === 'code' && !id)) return undefined
  if (by === 'code') return verifyCode({ database, limits, mailContext }, req, who, { id, code })
  const succeeded = await limits.count(req, { account: `change ${who.id}` })
  if (by === 'password') {
    if (!(await who.verifyPassword(password))) {
      throw new Invalid({ 'step-up.password': ['This is not your password.'] }, {})
    }
  } else if (by === 'passkey') {
    const person = await keys.prove(req, given['step-up.credential'])
    if (!who.factorOwners.some(it => it.person === person))
      throw new Invalid({ 'step-up.passkey': ['This passkey isn’t registered here. Choose another way.'] }, {})
  } else if (by === 'totp') {
    const scope = { workspace: req.portal.workspace.id }
    const used = await within(database, scope, tx => useSecondFactor(tx, who.factorOwners, code, secrets))
    if (!used) throw new Invalid({ 'step-up.code': ['This code is wrong or was already used.'] }, {})
    await succeeded()
    return used
  }
  await succeeded()
  return by
}

async function verifyCode(
  { database, limits, mailContext }: Pick<Parts, 'database' | 'limits' | 'mailContext'>,
  req: Request,
  who: StepUpUser,
  { id, code }: { id: string | undefined; code: string },
): Promise<Verification['by']> {
  const [secret = ''] = mailContext?.secrets ?? []
  const typed = { kind: 'step-up' as const, id, code, secret, account: `change ${who.id}` }
  const { used, succeeded } = await verifyTypedCode({ database, limits }, req, typed)
  if (used?.person !== who.id) throw new Invalid({ 'step-up.code': ['This code is wrong or has expired.'] }, {})
  await succeeded()
  return 'code'
}

/** The verification of the sign-in stays first. */
function sessionWith(req: Request, by: Verification['by']) {
  const { workspace, person, client, staff, verifications: [first, ...later] = [] } = req.portal.sessionRequest.session
  const verifications = [...(first ? [first] : []), ...later.slice(-3), { by, at: req.portal.now.getTime() }]
  return { workspace, person, client, staff, verifications } as SessionData
}

async function sendCode(mailContext: MailContext, req: Request, account: Account): Promise<string> {
  const { workspace } = req.portal
  const [secret = ''] = mailContext.secrets
  await mailContext.limits.count(req, { mail: `step-up ${account.email}` })
  return withMail(mailContext, req, async tx => {
    const { id, code } = await issueToken(tx, {
      ...{
        workspace: workspace.id,
        kind: 'step-up',
        person: account.id,
        email: account.email,
        minutes: codeMinutes,
        secret,
      },
    })
    await sendMail(
      mailContext,
      req,
      tx,
      'step-up',
      { ...account, person: account.id },
      { facts: { minutes: codeMinutes }, code },
    )
    return id
  })
}
