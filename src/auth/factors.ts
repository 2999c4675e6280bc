import { createHmac, randomInt } from 'node:crypto'
import type { Knex } from 'knex'
import { Secret, TOTP } from 'otpauth'
import { v7 as uuid } from 'uuid'
import { currentTime } from '../platform/clock.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { query } from '../platform/database.ts'
import { hashPassword, passwordMatches } from './passwords.ts'

/** The owner of second factors. Each function here runs within a transaction that has entered the workspace. */
export interface FactorOwner {
  workspace: string
  person: string
  /** Whether this is staff of a stand-alone portal rather than a client's person. */
  staff?: boolean
}

/** The table of the second factors, of clients' people or of staff. */
export const factorsTable = ({ staff }: Pick<FactorOwner, 'staff'>) =>
  staff ? 'portal.client_staff_factors' : 'portal.client_factors'

export interface Factors {
  /** Whether an authenticator app is confirmed. */
  app: boolean
  /** The secret of an app that is not confirmed yet, in base32. */
  begun: string | undefined
  passkeys: number
  recovery: number
}

export async function factorsOf(tx: Knex, whose: FactorOwner, secrets: string[]): Promise<Factors> {
  const rows = await query<{ kind: string; key: Buffer; confirmed: boolean }>(tx, {
    text: `select f.kind, f.key, f.confirmed_at is not null as confirmed from ${factorsTable(whose)} f
           where f.workspace_id = $1 and f.person_id = $2`,
    values: [whose.workspace, whose.person],
  })
  const app = rows.find(it => it.kind === 'app')
  return {
    app: app?.confirmed ?? false,
    begun: app && !app.confirmed ? unsealOrUndefined(app.key, secrets, 'second factor') : undefined,
    passkeys: rows.filter(it => it.kind === 'passkey').length,
    recovery: rows.filter(it => it.kind === 'recovery').length,
  }
}

/** Stores the 160-bit secret of an app (RFC 4226, 4). It counts once a code has been entered. A confirmed app stays. */
export const beginAuthenticator = (tx: Knex, whose: FactorOwner, secrets: string[]) =>
  query(tx, {
    text: `insert into ${factorsTable(whose)} as f (workspace_id, id, person_id, kind, key) values ($1, $2, $3, 'app', $4)
           on conflict (workspace_id, person_id) where kind = 'app'
             do update set key = excluded.key, counter = 0 where f.confirmed_at is null`,
    values: [whose.workspace, uuid(), whose.person, seal(new Secret({ size: 20 }).base32, secrets, 'second factor')],
  })

/** The address in the QR code that an authenticator app reads. */
export const authenticatorUri = (secret: string, issuer: string, label: string) =>
  new TOTP({ issuer, label, secret }).toString()

/**
 * Verifies a TOTP code: the current time step, the one before or the one after (RFC 6238, 5.2). A code works once, and
 * never after a later code (OWASP ASVS 5.0, 6.5.1). Of two concurrent uses, one succeeds.
 */
export async function useAuthenticatorCode(
  tx: Knex,
  whose: FactorOwner,
  code: string,
  secrets: string[],
  confirm = false,
) {
  const [row] = await query<{ key: Buffer }>(tx, {
    text: `select f.key from ${factorsTable(whose)} f
           where f.workspace_id = $1 and f.person_id = $2 and f.kind = 'app' and (f.confirmed_at is null) = $3`,
    values: [whose.workspace, whose.person, confirm],
  })
  const secret = row && unsealOrUndefined(row.key, secrets, 'second factor')
  const at = currentTime(tx).getTime()
  const delta = secret && new TOTP({ secret }).validate({ token: code.replace(/[\s-]/g, ''), window: 1, timestamp: at })
  if (typeof delta !== 'number') return false
  const used = await query(tx, {
    text: `update ${factorsTable(whose)} set counter = $3, used_at = portal.now(), ends_at = null, confirmed_at = coalesce(confirmed_at, portal.now())
           where workspace_id = $1 and person_id = $2 and kind = 'app' and counter < $3 and (confirmed_at is null) = $4
           returning id`,
    values: [whose.workspace, whose.person, Math.floor(at / 30_000) + delta, confirm],
  })
  return used.length === 1
}

const letters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'

const length = 10

/** Replaces the recovery codes by ten new ones of 49 bits, stored as password hashes (OWASP ASVS 5.0, 6.5.2). */
export async function newRecoveryCodes(tx: Knex, whose: FactorOwner): Promise<string[]> {
  const codes = Array.from({ length: 10 }, () =>
    Array.from({ length }, () => letters[randomInt(letters.length)]).join(''),
  )
  const hashes = await Promise.all(codes.map(hashPassword))
  await query(tx, {
    text: `delete from ${factorsTable(whose)} where workspace_id = $1 and person_id = $2 and kind = 'recovery'`,
    values: [whose.workspace, whose.person],
  })
  await query(tx, {
    text: `insert into ${factorsTable(whose)} (workspace_id, id, person_id, kind, key)
           select $1, gen_random_uuid()::text, $2, 'recovery', convert_to(it, 'UTF8') from unnest($3::text[]) it`,
    values: [whose.workspace, whose.person, hashes],
  })
  return codes.map(it => `${it.slice(0, 5)}-${it.slice(5)}`)
}

/** Uses up a recovery code; returns false if there is no such code. */
async function useRecovery(tx: Knex, whose: FactorOwner, typed: string, secrets: string[]) {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (code.length !== length) return false
  const rows = await query<{ id: string; key: Buffer | null }>(tx, {
    text: `select id, key from ${factorsTable(whose)} where workspace_id = $1 and person_id = $2 and kind = 'recovery'`,
    values: [whose.workspace, whose.person],
  })
  const keyed = secrets.map(it => keyedRecovery(whose.person, code, it))
  const fitting = await Promise.all(
    rows.map(({ id, key }) => (key ? passwordMatches(key.toString(), code) : keyed.includes(id))),
  )
  const found = rows[fitting.indexOf(true)]
  const used = await query(tx, {
    text: `delete from ${factorsTable(whose)} where workspace_id = $1 and person_id = $2 and id = $3 returning id`,
    values: [whose.workspace, whose.person, found?.id ?? null],
  })
  return used.length === 1
}

/** Verifies an app's code or a recovery code against all accounts of one human. Returns undefined for a wrong code. */
export async function useSecondFactor(
  tx: Knex,
  accounts: FactorOwner[],
  code: string,
  secrets: string[],
): Promise<'totp' | 'recovery' | undefined> {
  for (const it of accounts) if (await useAuthenticatorCode(tx, it, code, secrets)) return 'totp'
  for (const it of accounts) if (await useRecovery(tx, it, code, secrets)) return 'recovery'
  return undefined
}

/** Removes the app, and the recovery codes unless a passkey still needs them. */
export const removeAuthenticator = (tx: Knex, whose: FactorOwner) =>
  query(tx, {
    text: `delete from ${factorsTable(whose)} f where f.workspace_id = $1 and f.person_id = $2 and (f.kind = 'app' or
             (f.kind = 'recovery' and not exists (
               select from ${factorsTable(whose)} o
               where o.workspace_id = $1 and o.person_id = $2 and o.kind = 'passkey')))`,
    values: [whose.workspace, whose.person],
  })

/** Cancels the removal of second factors that staff requested: whoever uses one still has it. */
export async function keepFactors(tx: Knex, { workspace, person }: FactorOwner): Promise<boolean> {
  const kept = await query(tx, {
    text: `update portal.client_users set factors_end_at = null
           where workspace_id = $1 and id = $2 and factors_end_at is not null returning id`,
    values: [workspace, person],
  })
  return kept.length === 1
}

/** How long before the removal of second factors the owner is notified, in seconds. */
export const removalNotice = 86_400

/**
 * Ends the second factors that staff removed, once the notice period is over, but none that were added during it. Ends
 * every session too, so that nobody who signed in before stays signed in.
 */
export async function endFactors(tx: Knex, { workspace, person }: FactorOwner): Promise<boolean> {
  const [due] = await query<{ at: Date }>(tx, {
    text: `update portal.client_users u set factors_end_at = null
           from (select workspace_id, id, factors_end_at as at from portal.client_users
                 where workspace_id = $1 and id = $2 for update) b
           where u.workspace_id = b.workspace_id and u.id = b.id and b.at <= portal.now() returning b.at`,
    values: [workspace, person],
  })
  if (!due) return false
  await query(tx, {
    text: `delete from portal.client_factors f
           where f.workspace_id = $1 and f.person_id = $2
             and (coalesce(f.confirmed_at, f.created_at) < $3::timestamptz - $4 * interval '1 second'
               or f.kind = 'recovery' and not exists (
                 select from portal.client_factors o where o.workspace_id = $1 and o.person_id = $2
                   and o.confirmed_at >= $3::timestamptz - $4 * interval '1 second'))`,
    values: [workspace, person, due.at, removalNotice],
  })
  await query(tx, {
    text: 'delete from portal.client_sessions where workspace_id = $1 and person_id = $2',
    values: [workspace, person],
  })
  return true
}

/**
 * Ends those of several second factors that staff removed, each once its notice period is over, and the recovery codes
 * where no factor is left. Ends every session too.
 */
export async function endSingleFactors(tx: Knex, { workspace, person }: FactorOwner): Promise<boolean> {
  const ended = await query(tx, {
    text: `delete from portal.client_factors
           where workspace_id = $1 and person_id = $2 and ends_at <= portal.now() returning id`,
    values: [workspace, person],
  })
  if (!ended.length) return false
  await query(tx, {
    text: `delete from portal.client_factors f where f.workspace_id = $1 and f.person_id = $2 and f.kind = 'recovery'
             and not exists (select from portal.client_factors o where o.workspace_id = $1 and o.person_id = $2
                             and o.kind <> 'recovery' and o.confirmed_at is not null)`,
    values: [workspace, person],
  })
  await query(tx, {
    text: 'delete from portal.client_sessions where workspace_id = $1 and person_id = $2',
    values: [workspace, person],
  })
  return true
}

/** The hash of recovery codes from before November 2026, which become invalid with the secret that made them. */
const keyedRecovery = (person: string, code: string, secret: string) =>
  createHmac('sha256', secret).update(`recovery ${person} ${code}`).digest('base64url')
