import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import { note, record } from '../activity.ts'
import { within } from '../database.ts'
import { Invalid } from '../errors.ts'
import { stored } from '../settings/store.ts'
import { demandIn, demandName } from './demand.ts'
import { meet } from './devices.ts'
import { keepFactors } from './factors.ts'
import { type Held, type Proof, prune, save } from './sessions.ts'
import type { Account, Ways } from './way.ts'

interface Parts {
  database: Knex
  mailed: Ways | undefined
}

interface Entering {
  account: Account
  /** Where they wanted to go. */
  next: unknown
  /** How they have shown who they are. */
  proofs: Proof[]
}

/**
 * The one door to a session, whichever way somebody came: nobody gets one without a second factor who has one. Leads to
 * where they wanted, or to the step that is missing.
 */
export async function enter(parts: Parts, req: Request<any>, res: Response, { account, next, proofs }: Entering) {
  const [first, ...others] = proofs
  if (!first) throw new Error('nothing was proven')
  rememberWay(req, res, account, first.by)
  if (!account.factor || [first, ...others].some(isSecond)) return begin(parts, req, res, { account, next, proofs })
  const half = { person: account.id, email: account.email, next: safe(req, next), proof: first }
  await renew(req, { workspace: req.portal.workspace.id, half })
  res.redirect(303, req.portal.url('/sign-in/second-factor'))
}

/** Called by `enter` alone. */
async function begin(parts: Parts, req: Request<any>, res: Response, { account, next, proofs }: Entering) {
  const { workspace } = req.portal
  const { id, name, memberships, factor } = account
  const { client, role } = memberships[0] ?? {}
  await renew(req, { workspace: workspace.id, person: id, ...(client && { client }), proofs })
  const actor = { kind: 'client' as const, id, name, ...(client && { client }) }
  await record(req, { event: 'account.signed-in', actor })
  if (proofs.some(isSecond)) await keep(parts.database, req, actor)
  await meet(parts, req, res, account)
  await prune(parts.database)
  const demand = factor ? undefined : demandIn((await stored<string>(parts.database, workspace.id)).get(demandName))
  const reminded = role && demand?.roles.includes(role)
  res.redirect(303, reminded ? req.portal.url('/account/second-factor') : safe(req, next))
}

const isSecond = ({ by }: Proof) => seconds.includes(by)

export const seconds: Proof['by'][] = ['totp', 'recovery', 'passkey']

/** For whoever has just used a second factor, wherever: it stays, though staff were taking it off. */
export async function keep(
  database: Knex,
  req: Request<any>,
  { id, name, client }: { id: string; name: string; client?: string },
) {
  const whose = { workspace: req.portal.workspace.id, person: id }
  await within(database, whose, async tx => {
    if (await keepFactors(tx, whose))
      await note(tx, req, {
        event: 'account.factor-kept',
        actor: { kind: 'client', id, name, ...(client && { client }) },
      })
  })
}

/** On this device, for a year: which way was taken, and nothing of who took it. */
function rememberWay(req: Request<any>, res: Response, { password_hash: chosen }: Account, by: Proof['by']) {
  if (by === 'passkey') return
  const way = by === 'password' || (by === 'invitation' && chosen) ? 'password' : 'code'
  res.cookie('portico.way', way, {
    path: req.portal.url(''),
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure,
    maxAge: 365 * 86_400_000,
  })
}

export const rememberedWay = (req: Request<any>) =>
  /(?:^|; )portico\.way=(password|code)(?:;|$)/.exec(req.get('Cookie') ?? '')?.[1]

/** Counts a try that led nowhere, and refuses it beside the field. */
export async function refuse(req: Request<any>, email: string, field: string, sentence: string, typed: object) {
  await record(req, { event: 'account.sign-in-failed', subject: { email }, actor: { kind: 'nobody', name: email } })
  throw new Invalid({ [field]: [sentence] }, typed)
}

/** A new session id, so that one known before is worth nothing after it (OWASP ASVS 5.0, 7.2.4). */
export async function renew(req: Request<any>, held: Held) {
  const { aside } = req.portal
  await new Promise<void>((resolve, reject) => aside.session.regenerate(error => (error ? reject(error) : resolve())))
  const { ip: address, headers } = req
  Object.assign(aside.session, held, { address, agent: headers['user-agent']?.slice(0, 300) })
  await save(req)
}

/** Only pages of this portal: an address from outside must not decide where somebody ends up. */
export function safe(req: Request<any>, next: unknown): string {
  const home = req.portal.url('/')
  if (typeof next !== 'string') return home
  const ours = URL.parse(next, 'http://portal.invalid')
  const inside =
    ours?.host === 'portal.invalid' && ours.pathname.startsWith(home) && !ours.pathname.startsWith(`${home}api/`)
  return inside ? ours.pathname + ours.search : home
}
