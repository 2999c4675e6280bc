import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { Request, Response } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { readCookie } from '../http/cookies.ts'
import { Forbidden } from '../http/errors.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { firstUse } from './limits.ts'

/** How long a sign-in at an identity provider may take, in seconds. */
const patience = 600

const cookieName = 'portico.with'

/**
 * The state that a browser keeps during a sign-in at an identity provider. It is sealed, so nobody can read or forge
 * it.
 */
const Pending = z.object({
  id: z.uuid(),
  workspace: z.string(),
  /** The strategy's name. */
  name: z.string(),
  /** The state that the provider's response must return. */
  state: z.string(),
  session: z.record(z.string(), z.unknown()),
  next: z.string().optional(),
  /** The expiry, in milliseconds since 1970. */
  until: z.number(),
})

type Remembered = Omit<z.infer<typeof Pending>, 'id' | 'workspace' | 'until' | 'session'> & { session: object }

class NotBegun extends Forbidden {
  code = 'sign-in-not-begun'
  message = 'This sign-in can’t be completed here.'
  advice = 'It was started in another browser, is already complete, or took too long. Sign in again.'
}

/** Binds the provider's response to this browser (RFC 9700, 4.7.1): keeps the state in a cookie for ten minutes. */
export function rememberSignIn({ secrets }: { secrets: string[] }, req: Request, res: Response, it: Remembered) {
  const until = req.portal.now.getTime() + patience * 1_000
  const pending = { ...it, id: randomUUID(), workspace: req.portal.workspace.id, until }
  const value = seal(JSON.stringify(pending), secrets, 'pending sign-in').toString('base64url')
  if (value.length > 3_800) throw new Error(`strategy ${it.name} keeps more in its session than a cookie holds`)
  res.cookie(cookieName, value, { ...cookieOf(req, it.name), maxAge: patience * 1_000 })
}

interface Parts {
  database: Knex
  secrets: string[]
}

/** Returns the remembered state, once. Throws Forbidden if this browser did not begin this sign-in. */
export async function resumeSignIn({ database, secrets }: Parts, req: Request, res: Response, name: string) {
  const sealed = readCookie(req, cookieName) ?? ''
  const text = unsealOrUndefined(Buffer.from(sealed, 'base64url'), secrets, 'pending sign-in')
  const pending = text === undefined ? undefined : Pending.parse(JSON.parse(text))
  const { workspace, now } = req.portal
  const here = pending?.workspace === workspace.id && pending.name === name && pending.until > now.getTime()
  if (!pending || !here || !same(stateIn(req), pending.state)) throw new NotBegun()
  res.clearCookie(cookieName, cookieOf(req, name))
  if (!(await firstUse(database, `pending:${pending.id}`, patience))) throw new NotBegun()
  return pending
}

/** An identity provider's form comes from another site. Browsers do not send `lax` cookies with such a form. */
const cookieOf = (req: Request, name: string) => ({
  path: req.portal.url(`/sign-in/with/${name}`),
  httpOnly: true,
  secure: req.secure,
  sameSite: req.secure ? ('none' as const) : ('lax' as const),
})

function stateIn(req: Request): string {
  const { state, RelayState } = { ...req.query, ...Object(req.portal.body) }
  return String(state ?? RelayState ?? '')
}

const same = (one: string, other: string) =>
  Buffer.byteLength(one) === Buffer.byteLength(other) && timingSafeEqual(Buffer.from(one), Buffer.from(other))
