import { createHash, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { v4 as random } from 'uuid'
import type { Verification } from '../auth/sessions.ts'
import { TooMany } from '../http/errors.ts'
import { currentTime } from '../platform/clock.ts'
import { query } from '../platform/database.ts'

/**
 * Lifetimes in seconds (OWASP ASVS 5.0, 7.1.1 and 10.4.8): an access token, a refresh token, which works once, and the
 * whole sign-in.
 */
export const lives = { access: 15 * 60, refresh: 7 * 86_400, whole: 30 * 86_400 }
/** Seconds in which a second use of a refresh token counts as the program's own mistake; later it is a stolen copy. */
const slip = 10

export interface ApiToken {
  id: string
  kind: 'sign-in' | 'personal'
  name: string
  scopes: string[] | null
  createdAt: Date
  expiresAt: Date
  usedAt: Date | null
  usedFrom: string | null
}

interface For {
  workspace: string
  person: string
  client: string
}

export interface Granted {
  access: string
  refresh: string
}

/**
 * Returns the hash under which an access token is stored. It differs from a session's, so neither works as the other.
 */
export const accessId = (token: string) => `api.${createHash('sha256').update(token).digest('base64url')}`
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url')
const secret = () => randomBytes(32).toString('base64url')

/** Issues both tokens of a sign-in to a verified person. Runs within the workspace. */
export async function grant(
  tx: Knex,
  its: For,
  { name, by }: { name: string; by: Verification['by'][] },
): Promise<Granted> {
  const id = random()
  const refresh = secret()
  await query(tx, {
    text: `delete from portal.client_api_tokens where workspace_id = $1 and expires_at < portal.now()`,
    values: [its.workspace],
  })
  await query(tx, {
    text: `insert into portal.client_api_tokens (workspace_id, id, person_id, client_id, kind, name, verified_by, refresh_hash, expires_at)
           values ($1, $2, $3, $4, 'sign-in', $5, $8, $6, portal.now() + $7 * interval '1 second')`,
    values: [its.workspace, id, its.person, its.client, name, hash(refresh), lives.whole, by.join(' ')],
  })
  const verifications = proofsOf(by.join(' '), currentTime(tx).getTime())
  return {
    access: await open(tx, its, { id, verifications, scopes: null, seconds: lives.access }),
    refresh: `ptr_${id}_${refresh}`,
  }
}

/**
 * Exchanges a refresh token, which is used up, for new tokens. A token that was used before ends the whole sign-in,
 * whoever holds it (RFC 9700, 4.14.2). If that use was a moment ago, returns `late` instead: the response to the other
 * request counts.
 */
export async function turn(
  tx: Knex,
  workspace: string,
  token: string,
): Promise<(Granted & For) | 'late' | 'reused' | undefined> {
  const [, id, given] = /^ptr_([0-9a-f-]{36})_([\w-]{43})$/.exec(token) ?? []
  if (!id || !given) return undefined
  const refresh = secret()
  const [row] = await query<For & { by: string; at: number }>(tx, {
    text: `update portal.client_api_tokens set refresh_hash = $4, rotated_at = portal.now(), used_at = portal.now()
           where workspace_id = $1 and id = $2 and kind = 'sign-in' and refresh_hash = $3 and expires_at > portal.now()
             and rotated_at > portal.now() - $5 * interval '1 second'
             and exists (select from portal.client_users u where u.workspace_id = client_api_tokens.workspace_id
                         and u.id = client_api_tokens.person_id and u.suspended_at is null)
           returning workspace_id as workspace, person_id as person, client_id as client, verified_by as by,
             (extract(epoch from created_at) * 1000)::float8 as at`,
    values: [workspace, id, hash(given), hash(refresh), lives.refresh],
  })
  if (row) {
    // A refresh is not a new verification.
    const verifications = proofsOf(row.by, row.at)
    const access = await open(tx, row, { id, verifications, scopes: null, seconds: lives.access })
    return { ...row, access, refresh: `ptr_${id}_${refresh}` }
  }
  const [other] = await query<{ slip: boolean; reused: boolean }>(tx, {
    text: `select refresh_hash <> $3 as reused, rotated_at > portal.now() - $4 * interval '1 second' as slip
           from portal.client_api_tokens where workspace_id = $1 and id = $2 and kind = 'sign-in'`,
    values: [workspace, id, hash(given), slip],
  })
  if (other?.reused && other.slip) return 'late'
  if (!other) return undefined
  await revoke(tx, workspace, id)
  return other.reused ? 'reused' : undefined
}

/** Creates a personal token for the owner's own program. It is shown once. One person may have at most fifty. */
export async function personal(
  tx: Knex,
  its: For,
  { name, scopes, days }: { name: string; scopes: string[]; days: number },
): Promise<string> {
  const id = random()
  const [made] = await query(tx, {
    text: `insert into portal.client_api_tokens (workspace_id, id, person_id, client_id, kind, name, verified_by, scopes, expires_at)
           select $1, $2, $3, $4, 'personal', $5, 'token', $6, portal.now() + $7 * interval '1 day'
           where (select count(*) from portal.client_api_tokens
                  where workspace_id = $1 and person_id = $3 and kind = 'personal' and expires_at > portal.now()) < 50
           returning id`,
    values: [its.workspace, id, its.person, its.client, name, scopes, days],
  })
  if (!made) throw new TooMany()
  return open(tx, its, {
    id,
    verifications: [{ by: 'token', at: currentTime(tx).getTime() }],
    scopes,
    seconds: days * 86_400,
  })
}

const proofsOf = (by: string, at: number) => by.split(' ').map(it => ({ by: it as Verification['by'], at }))

/**
 * Creates the session row that identifies requests with the token; it ends 30 days after its start, like a browser's.
 */
async function open(
  tx: Knex,
  { workspace, person, client }: For,
  {
    id,
    verifications,
    scopes,
    seconds,
  }: { id: string; verifications: Verification[]; scopes: string[] | null; seconds: number },
): Promise<string> {
  const access = `${scopes ? 'ptp' : 'pta'}_${secret()}`
  await query(tx, {
    text: `insert into portal.client_sessions (sid, sess, expire, started_at)
           values ($1, $2, portal.now() + $3 * interval '1 second', portal.now() + $3 * interval '1 second' - interval '30 days')`,
    values: [
      accessId(access),
      JSON.stringify({ workspace, person, client, verifications, api: id, scopes, cookie: {} }),
      seconds,
    ],
  })
  return access
}

/** Returns a person's valid tokens, newest first. */
export const tokensOf = (tx: Knex, workspace: string, person: string): Promise<ApiToken[]> =>
  query(tx, {
    text: `select id, kind, name, scopes, created_at as "createdAt", expires_at as "expiresAt", used_at as "usedAt",
             used_from as "usedFrom"
           from portal.client_api_tokens t
           where workspace_id = $1 and person_id = $2 and expires_at > portal.now()
             and case kind when 'sign-in' then rotated_at > portal.now() - $3 * interval '1 second'
                 else exists (select from portal.client_sessions s where s.workspace_id = t.workspace_id and s.person_id = t.person_id
                              and s.sid like 'api.%' and s.sess ->> 'api' = t.id::text) end
           order by created_at desc, id limit 200`,
    values: [workspace, person, lives.refresh],
  })

/** Revokes a token and ends its sessions. Returns its name, or undefined if this person has no token of this id. */
export async function revoke(tx: Knex, workspace: string, id: string, person?: string): Promise<string | undefined> {
  const [row] = await query<{ name: string; person: string }>(tx, {
    text: `delete from portal.client_api_tokens where workspace_id = $1 and id = $2 and ($3::uuid is null or person_id = $3)
           returning name, person_id as person`,
    values: [workspace, id, person ?? null],
  })
  if (!row) return undefined
  await query(tx, {
    text: `delete from portal.client_sessions where workspace_id = $1 and person_id = $2 and sid like 'api.%' and sess ->> 'api' = $3`,
    values: [workspace, row.person, id],
  })
  return row.name
}

/** Records when, and from which address, a token was last used. */
export const used = (tx: Knex, workspace: string, id: string, address: string | null) =>
  query(tx, {
    text: 'update portal.client_api_tokens set used_at = portal.now(), used_from = $3 where workspace_id = $1 and id = $2',
    values: [workspace, id, address],
  })
