import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { Gone } from '../http/errors.ts'
import { keyedHash } from '../platform/crypto.ts'
import { query } from '../platform/database.ts'

/** `address` confirms a new address; `undo` lets the former address take the change back. */
type Kind = 'sign-in' | 'text' | 'reset' | 'address' | 'undo' | 'unlock' | 'step-up' | 'device' | 'link'

/** The kinds with a code to enter. */
export type CodeKind = Extract<Kind, 'sign-in' | 'text' | 'step-up' | 'link'>

/** The page that gives a new link of this kind. */
const renewals: Partial<Record<Kind, Gone['next']>> = {
  'sign-in': { path: '/sign-in/code', label: 'Send me a new link' },
  reset: { path: '/forgot-password', label: 'Send me a new link' },
  address: { path: '/account/address', label: 'Change e-mail address' },
  unlock: { path: '/sign-in', label: 'Back to sign-in' },
  device: { path: '/forgot-password', label: 'Choose a new password' },
  undo: { path: '/forgot-password', label: 'Choose a new password' },
}

interface Wanted {
  workspace: string
  kind: Kind
  /** Undefined for an unknown address; the same work is done for it. */
  person: string | undefined
  email: string
  minutes: number
  secret: string
}

export interface Token {
  id: string
  person: string | null
  email: string
}

/** How often a six-digit code may be entered wrong (NIST SP 800-63B, 3.2.2 asks for a limit). */
const maxAttempts = 5

/**
 * Issues a link's secret of 256 bits and a six-digit code. Earlier tokens of this person and kind become invalid,
 * except `undo` and `device`: an intruder who changes the address or signs in twice must not end the owner's way to
 * recover.
 */
export async function issueToken(tx: Knex, { workspace, kind, person, email, minutes, secret }: Wanted) {
  const id = uuid()
  const token = randomBytes(32).toString('base64url')
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  await query(tx, {
    text: `update portal.client_tokens set used_at = portal.now()
           where workspace_id = $1 and person_id = $2 and kind = $3 and kind not in ('undo', 'device') and used_at is null`,
    values: [workspace, person ?? null, kind],
  })
  await query(tx, {
    text: `insert into portal.client_tokens (workspace_id, id, kind, person_id, email, hash, code_hash, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, portal.now() + $8 * interval '1 minute')`,
    values: [workspace, id, kind, person ?? null, email, hash(token), codeHash(id, code, secret), minutes],
  })
  await query(tx, {
    text: `delete from portal.client_tokens where workspace_id = $1 and expires_at < portal.now() - interval '1 day'`,
    values: [workspace],
  })
  return { id, token, code }
}

/** Finds a token without using it up. Throws Gone if it is used, expired or unknown. */
export async function findToken(tx: Knex, workspace: string, kind: Kind, token: string): Promise<Token> {
  const [row] = await query<Token>(tx, {
    text: `select id, person_id as person, email from portal.client_tokens
           where workspace_id = $1 and kind = $2 and hash = $3 and person_id is not null and ${isValid}`,
    values: [workspace, kind, hash(token)],
  })
  if (!row) throw new Gone(renewals[kind])
  return row
}

/** Uses up a token. Throws Gone if somebody else was quicker. */
export async function useToken(tx: Knex, workspace: string, kind: Kind, token: string): Promise<Token> {
  const [row] = await query<Token>(tx, {
    text: `update portal.client_tokens set used_at = portal.now()
           where workspace_id = $1 and kind = $2 and hash = $3 and person_id is not null and ${isValid}
           returning id, person_id as person, email`,
    values: [workspace, kind, hash(token)],
  })
  if (!row) throw new Gone(renewals[kind])
  return row
}

/** Returns the address that a code was asked for with; undefined for an unknown request. */
export async function recipientOf(
  tx: Knex,
  workspace: string,
  kind: CodeKind,
  id: string,
): Promise<string | undefined> {
  const [row] = await query<{ email: string }>(tx, {
    text: 'select email from portal.client_tokens where workspace_id = $1 and id = $2 and kind = $3',
    values: [workspace, id, kind],
  })
  return row?.email
}

/** Tries a code, and counts the attempt. Returns undefined if it is wrong, tried too often, used or expired. */
export async function useCode(tx: Knex, workspace: string, kind: CodeKind, id: string, code: string, secret: string) {
  const [row] = await query<Token & { codeHash: string }>(tx, {
    text: `update portal.client_tokens set attempts = attempts + 1
           where workspace_id = $1 and id = $2 and kind = $3 and attempts < ${maxAttempts} and ${isValid}
           returning id, person_id as person, email, code_hash as "codeHash"`,
    values: [workspace, id, kind],
  })
  const right = timingSafeEqual(
    Buffer.from(codeHash(id, code, secret)),
    Buffer.from(row?.codeHash ?? codeHash(id, 'nothing', secret)),
  )
  if (!row?.person || !right) return undefined
  await query(tx, {
    text: 'update portal.client_tokens set used_at = portal.now() where workspace_id = $1 and id = $2',
    values: [workspace, id],
  })
  return row
}

const isValid = 'used_at is null and expires_at > portal.now()'

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')

/** Six digits are easily guessed from a plain hash, so the hash is keyed with the secret. */
const codeHash = (id: string, code: string, secret: string) => keyedHash(`${id} ${code}`, secret, 'mailed code')
