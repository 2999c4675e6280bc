import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import { record } from '../activity.ts'
import { Invalid } from '../errors.ts'
import { type Proof, prune, save } from './sessions.ts'
import type { Account } from './way.ts'

/** Signs in whoever has proven who they are, in whichever way, and leads to where they wanted. */
export async function enter(
  database: Knex,
  req: Request<any>,
  res: Response,
  account: Account,
  next: unknown,
  by: Proof['by'],
) {
  const { id, name, memberships } = account
  const client = memberships[0]?.client ?? ''
  await begin(req, id, client, by)
  await record(req, { event: 'account.signed-in', actor: { kind: 'client', id, name, client } })
  await prune(database)
  rememberWay(req, res, by === 'password' ? 'password' : 'code')
  res.redirect(303, safe(req, next))
}

/** On this device, for a year: which way was taken, and nothing of who took it. */
const rememberWay = (req: Request<any>, res: Response, way: 'password' | 'code') =>
  res.cookie('portico.way', way, {
    ...{ path: req.portal.url(''), httpOnly: true, sameSite: 'lax', secure: req.secure, maxAge: 365 * 86_400_000 },
  })

export const rememberedWay = (req: Request<any>) =>
  /(?:^|; )portico\.way=(password|code)(?:;|$)/.exec(req.get('Cookie') ?? '')?.[1]

/** Counts a try that led nowhere, and refuses it beside the field. */
export async function refuse(req: Request<any>, email: string, field: string, sentence: string, typed: object) {
  await record(req, { event: 'account.sign-in-failed', subject: { email }, actor: { kind: 'nobody', name: email } })
  throw new Invalid({ [field]: [sentence] }, typed)
}

/** A new session id, so that one known before sign-in is worth nothing after it (OWASP ASVS 5.0, 7.2.4). */
export async function begin(req: Request<any>, person: string, client: string, by: Proof['by']) {
  const { aside, workspace } = req.portal
  await new Promise<void>((resolve, reject) => aside.session.regenerate(error => (error ? reject(error) : resolve())))
  Object.assign(aside.session, { workspace: workspace.id, person, client, proofs: [{ by, at: Date.now() }] })
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
