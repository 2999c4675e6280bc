import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { keyedHash } from '../crypto.ts'
import { query } from '../database.ts'
import { Gone } from '../errors.ts'

/** `address` proves a new address, `undo` is for the old one. */
type Kind = 'sign-in' | 'reset' | 'address' | 'undo' | 'unlock' | 'step-up' | 'device' | 'link'

/** Those with a code to be typed. */
export type CodeKind = Extract<Kind, 'sign-in' | 'step-up' | 'link'>

interface Wanted {
  workspace: string
  kind: Kind
  /** None for an address that nobody has here: as much is done for it. */
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

/** How often a code of six digits may be typed wrong (NIST SP 800-63B, 3.2.2 asks for a limit). */
const mostTries = 5

/**
 * A link's secret of 256 bits, and six digits beside it; earlier ones of this person and kind are no longer good, but
 * for `undo` and `device`: whoever changed the address or signed in twice must not have ended the owner's way back.
 */
export async function issue(tx: Knex, { workspace, kind, person, email, minutes, secret }: Wanted) {
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

/** Looking uses nothing up. Throws Gone for one that was used, whose time is over or that never was. */
export async function find(tx: Knex, workspace: string, kind: Kind, token: string): Promise<Token> {
  const [row] = await query<Token>(tx, {
    text: `select id, person_id as person, email from portal.client_tokens
           where workspace_id = $1 and kind = $2 and hash = $3 and person_id is not null and ${good}`,
    values: [workspace, kind, hash(token)],
  })
  if (!row) throw new Gone()
  return row
}

/** Throws Gone where somebody was quicker. */
export async function use(tx: Knex, workspace: string, kind: Kind, token: string): Promise<Token> {
  const [row] = await query<Token>(tx, {
    text: `update portal.client_tokens set used_at = portal.now()
           where workspace_id = $1 and kind = $2 and hash = $3 and person_id is not null and ${good}
           returning id, person_id as person, email`,
    values: [workspace, kind, hash(token)],
  })
  if (!row) throw new Gone()
  return row
}

/** To which address a code was mailed, or would have been; undefined for a request that never was. */
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

/** Counts as a try. Undefined for a wrong code, and for one that was tried too often, used, or whose time is over. */
export async function useCode(tx: Knex, workspace: string, kind: CodeKind, id: string, code: string, secret: string) {
  const [row] = await query<Token & { codeHash: string }>(tx, {
    text: `update portal.client_tokens set tries = tries + 1
           where workspace_id = $1 and id = $2 and kind = $3 and tries < ${mostTries} and ${good}
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

const good = 'used_at is null and expires_at > portal.now()'

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')

/** Six digits have few values: without the secret their hash tells nothing. */
const codeHash = (id: string, code: string, secret: string) => keyedHash(`${id} ${code}`, secret, 'mailed code')
