import { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { record } from '../activity.ts'
import type { Identity } from '../crm.ts'
import { within } from '../database.ts'
import { Invalid, ProofNeeded, TooOften } from '../errors.ts'
import { anyMember, type Rung, type Section, type StepUp } from '../section.ts'
import type { Row } from '../settings/toggles.ts'
import { keep, renew, safe, seconds } from './enter.ts'
import { useSecond, type Whose } from './factors.ts'
import type { Passkeys } from './passkeys.ts'
import { knows } from './password.ts'
import { accountOf } from './people.ts'
import type { Held, Proof } from './sessions.ts'
import { issue } from './tokens.ts'
import { tryCode } from './typed-code.ts'
import { type Account, mailing, type Ways, write } from './way.ts'

/** How long a proof counts, in milliseconds, and how long a code for one is good, in minutes. */
const remembered = 10 * 60_000
const good = 10

interface Parts extends Pick<Ways, 'database' | 'limits' | 'secrets'> {
  mailed: Ways | undefined
  keys: Passkeys
  actions: Map<string, StepUp>
  /** Who is signed in, and what they can prove it by. */
  prover(req: Request): Promise<Prover | undefined>
}

export interface Prover {
  id: string
  email: string
  /** Whose second factors prove it. */
  whose: Whose[]
  /** Whether they have one, and which. */
  factor: boolean
  passkey: boolean
  app: boolean
  /** Whether there may be a password. */
  password: boolean
  /** Whether this is it. */
  knows(typed: string): Promise<boolean>
  /** Mails a code, where that can be done, and gives its id. */
  sendCode?(): Promise<string>
  /** A second factor was used. */
  used?(): Promise<void>
  /** Where who does not want to goes back to. */
  back: string
}

/** That of changing second factors, which staff of a portal that stands alone have as well. */
export const factorStepUp: [string, StepUp] = ['account.factor', { label: 'Set up a second factor', rung: 'proof' }]

/** Every action that asks for a fresh proof, or may be made to. */
export const stepUpsOf = (sections: Section[]): Map<string, StepUp> =>
  new Map<string, StepUp>([
    ['account.address', { label: 'Change the e-mail address', rung: 'proof' }],
    factorStepUp,
    ['team.change', { label: 'Invite somebody, change roles and limits, or end access', rung: 'proof' }],
    ['account.tokens', { label: 'Make a token for a program', rung: 'proof' }],
    ['account.data', { label: 'Take a copy of one’s own data, or end one’s account', rung: 'proof' }],
    ...sections.flatMap(it => Object.entries<StepUp>(it.stepUps ?? {})),
  ])

/**
 * Asks for a fresh proof of who somebody is before what the workspace holds to need one (OWASP ASVS 5.0, 7.5.3). The
 * page that asks carries what was typed, and sends it on to the same address with the proof: a route behind `stepUp`
 * sees its own fields only, once.
 */
export function ladder({ identity, ...parts }: Omit<Parts, 'prover'> & { identity: Identity | undefined }): Router {
  const router = Router()
  router.use(climbing({ ...parts, prover: req => clientProver({ ...parts, identity }, req) }))

  /** For an address that is looked at: a form leads there. */
  router.post(
    '/step-up',
    anyMember,
    (req, res, next) => req.portal.climb(String(Object(req.portal.body)['step-up.action']), res, next),
    (req, res) => res.redirect(303, safe(req, Object(req.portal.body).next)),
  )

  return router
}

/** Gives the routes behind it `stepUp`. */
export const climbing =
  (parts: Parts): RequestHandler =>
  (req, _res, next) => {
    req.portal.climb = (action, res, next) => climb(parts, action, req, res, next)
    next()
  }

async function clientProver(
  { database, identity, mailed }: Pick<Parts, 'database' | 'mailed'> & { identity: Identity | undefined },
  req: Request,
): Promise<Prover | undefined> {
  const { workspace, customer } = req.portal
  const { person, client } = customer
  const scope = { workspace: workspace.id }
  const account = await within(database, scope, tx => accountOf(tx, workspace.id, person.email))
  if (!account) return undefined
  return {
    ...account,
    whose: account.persons.map(it => ({ workspace: workspace.id, person: it })),
    password: account.password_hash !== '' && (account.password_hash !== null || identity !== undefined),
    knows: typed => knows(identity, workspace, account, typed),
    sendCode: mailed && (() => sendCode(mailed, req, account)),
    used: () => keep(database, req, { ...person, client: client.id }),
    back: req.portal.url('/'),
  }
}

async function climb(parts: Parts, action: string, req: Request, res: Response, next: () => void) {
  const { body, wants } = req.portal
  const rung = await rungOf(parts, req, action)
  const given = Given.parse(Object(body))
  if (body) req.portal.body = carried(body)
  if (rung === 'none' || proven(req, rung)) return next()
  if (wants === 'json') throw new ProofNeeded()

  const who = await parts.prover(req)
  if (!who) throw new ProofNeeded()
  const ways = waysOf(who, rung)
  let sent = given['step-up.id']
  try {
    if (given['step-up.show'] === 'code' && ways.includes('code')) sent = await who.sendCode?.()
    const by = given['step-up.show'] ? undefined : await prove(parts, req, who, given, ways)
    if (by) {
      if (seconds.includes(by)) await who.used?.()
      await renew(req, renewed(req, by))
      await record(req, { event: 'account.proven', subject: { by } })
      return next()
    }
    req.portal.problem = new ProofNeeded()
  } catch (error) {
    if (!(error instanceof Invalid || error instanceof TooOften)) throw error
    if (error instanceof TooOften) res.set('Retry-After', String(error.seconds))
    req.portal.problem = error
  }
  req.portal.frame = 'solo'
  res.answer('auth/step-up', {
    ...{ action, ways, sent, about: parts.actions.get(action)?.label, email: who.email, back: who.back },
    way: ways.find(it => it === (given['step-up.show'] ?? given['step-up.by'])) ?? ways[0],
    address: req.method === 'POST' ? req.originalUrl : req.portal.url('/step-up'),
    fields: req.method === 'POST' ? fieldsOf(req.portal.body) : [['next', req.originalUrl]],
  })
}

/**
 * What this action asks of this person. Second factors are changed by one that there is, whatever the workspace asks for
 * (OWASP ASVS 5.0, 7.5.1); nobody has one before the first is set up.
 */
async function rungOf({ actions, prover }: Parts, req: Request, action: string): Promise<Rung> {
  const { visitor } = req.portal
  const wanted = rungIn(visitor?.settings ?? [], action) ?? actions.get(action)?.rung ?? 'proof'
  if (action !== factorStepUp[0]) return wanted
  if ((await prover(req))?.factor) return 'second'
  return wanted === 'second' ? 'proof' : wanted
}

export const rungs = ['none', 'proof', 'second'] as const satisfies Rung[]

/** What a workspace asks for before an action, where it has said so. */
export function rungIn(settings: Row[], action: string): Rung | undefined {
  const row = settings.find(([client, person, name]) => !client && !person && name === `step-up.${action}`)
  return rungs.find(it => it === row?.[3])
}

/** Whether this was proven within the last ten minutes. */
export function proven({ portal: { aside, now } }: Request<any>, rung: Rung): boolean {
  const since = now.getTime() - remembered
  const proofs = aside.session.proofs ?? []
  return proofs.some(it => it.at > since && (rung !== 'second' || seconds.includes(it.by)))
}

type Way = 'passkey' | 'totp' | 'password' | 'code'

/** The strongest first. Where the second factor is asked for, nothing else will do. */
const waysOf = (who: Prover, rung: Rung): Way[] => [
  ...(who.passkey ? (['passkey'] as const) : []),
  // A recovery code does where the passkey is out of reach.
  ...(who.app || (who.passkey && rung === 'second') ? (['totp'] as const) : []),
  ...(rung !== 'second' && who.password ? (['password'] as const) : []),
  ...(rung !== 'second' && who.sendCode ? (['code'] as const) : []),
]

/** What the page that asks adds to a form. */
const Given = z.object({
  'step-up.by': z.enum(['passkey', 'totp', 'password', 'code']).optional().catch(undefined),
  'step-up.show': z.enum(['passkey', 'totp', 'password', 'code']).optional().catch(undefined),
  'step-up.password': z.string().catch(''),
  'step-up.code': z.string().catch(''),
  'step-up.credential': z.string().catch(''),
  'step-up.id': z.uuid().optional().catch(undefined),
})

/** What was typed, without what the page that asks has added. */
export const carried = (body: unknown): object =>
  Object.fromEntries(Object.entries(Object(body)).filter(([name]) => !name.startsWith('step-up.')))

/** As a form sends them again, in their order. */
export const fieldsOf = (body: unknown): [string, string][] =>
  Object.entries(Object(body)).flatMap(([name, value]) =>
    [value].flat().map((it): [string, string] => [name, String(it)]),
  )

/** How it was proven; undefined where nothing was given. Throws Invalid beside the field. */
async function prove(
  { database, keys, limits, mailed, secrets }: Parts,
  req: Request,
  who: Prover,
  given: z.output<typeof Given>,
  ways: Way[],
): Promise<Proof['by'] | undefined> {
  const { 'step-up.by': by, 'step-up.id': id, 'step-up.password': password, 'step-up.code': code } = given
  if (!by || !ways.includes(by) || (by === 'code' && !id)) return undefined
  if (by === 'code') return proveByCode({ database, limits, mailed }, req, who, { id, code })
  const succeeded = await limits.count(req, { account: `change ${who.id}` })
  if (by === 'password') {
    if (!(await who.knows(password))) {
      throw new Invalid({ 'step-up.password': ['This is not your password.'] }, {})
    }
  } else if (by === 'passkey') {
    const person = await keys.prove(req, given['step-up.credential'])
    if (!who.whose.some(it => it.person === person))
      throw new Invalid({ 'step-up.passkey': ['This passkey opens nothing here. Choose another way.'] }, {})
  } else if (by === 'totp') {
    const scope = { workspace: req.portal.workspace.id }
    const used = await within(database, scope, tx => useSecond(tx, who.whose, code, secrets))
    if (!used) throw new Invalid({ 'step-up.code': ['This code is wrong, or was used already.'] }, {})
    await succeeded()
    return used
  }
  await succeeded()
  return by
}

async function proveByCode(
  { database, limits, mailed }: Pick<Parts, 'database' | 'limits' | 'mailed'>,
  req: Request,
  who: Prover,
  { id, code }: { id: string | undefined; code: string },
): Promise<Proof['by']> {
  const [secret = ''] = mailed?.secrets ?? []
  const typed = { kind: 'step-up' as const, id, code, secret, account: `change ${who.id}` }
  const { used, succeeded } = await tryCode({ database, limits }, req, typed)
  if (used?.person !== who.id)
    throw new Invalid({ 'step-up.code': ['This code is wrong, was used, or its time is over.'] }, {})
  await succeeded()
  return 'code'
}

/** What was proven at sign-in stays first. */
function renewed(req: Request, by: Proof['by']) {
  const { workspace, person, client, staff, proofs: [first, ...later] = [] } = req.portal.aside.session
  const proofs = [...(first ? [first] : []), ...later.slice(-3), { by, at: req.portal.now.getTime() }]
  return { workspace, person, client, staff, proofs } as Held
}

async function sendCode(ways: Ways, req: Request, account: Account): Promise<string> {
  const { workspace } = req.portal
  const [secret = ''] = ways.secrets
  await ways.limits.count(req, { mail: `step-up ${account.email}` })
  return mailing(ways, req, async tx => {
    const { id, code } = await issue(tx, {
      ...{ workspace: workspace.id, kind: 'step-up', person: account.id, email: account.email, minutes: good, secret },
    })
    await write(ways, req, tx, 'step-up', { ...account, person: account.id }, { facts: { minutes: good }, code })
    return id
  })
}
