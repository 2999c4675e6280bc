import { createHmac, randomInt } from 'node:crypto'
import type { Knex } from 'knex'
import { Secret, TOTP } from 'otpauth'
import { v7 as uuid } from 'uuid'
import { currentTime } from '../clock.ts'
import { seal, unseal } from '../crypto.ts'
import { query } from '../database.ts'
import { fits, hashed } from './passwords.ts'

/** Each of these runs within a transaction that has entered a workspace. */
export interface Whose {
  workspace: string
  person: string
  /** Somebody of the staff of a portal that stands alone, and no client's person. */
  staff?: boolean
}

/** Where second factors are: of clients' people, or of staff. */
export const factorsTable = ({ staff }: Pick<Whose, 'staff'>) =>
  staff ? 'portal.client_staff_factors' : 'portal.client_factors'

export interface Factors {
  /** Whether an authenticator app is confirmed. */
  app: boolean
  /** The secret of one that is not confirmed yet, in base32. */
  begun: string | undefined
  passkeys: number
  recovery: number
}

export async function factorsOf(tx: Knex, whose: Whose, secrets: string[]): Promise<Factors> {
  const rows = await query<{ kind: string; key: Buffer; confirmed: boolean }>(tx, {
    text: `select f.kind, f.key, f.confirmed_at is not null as confirmed from ${factorsTable(whose)} f
           where f.workspace_id = $1 and f.person_id = $2`,
    values: [whose.workspace, whose.person],
  })
  const app = rows.find(it => it.kind === 'app')
  return {
    app: app?.confirmed ?? false,
    begun: app && !app.confirmed ? unseal(app.key, secrets, 'second factor') : undefined,
    passkeys: rows.filter(it => it.kind === 'passkey').length,
    recovery: rows.filter(it => it.kind === 'recovery').length,
  }
}

/** An app's secret of 160 bits (RFC 4226, 4), which counts when a code of it has been typed. A confirmed one stays. */
export const beginApp = (tx: Knex, whose: Whose, secrets: string[]) =>
  query(tx, {
    text: `insert into ${factorsTable(whose)} as f (workspace_id, id, person_id, kind, key) values ($1, $2, $3, 'app', $4)
           on conflict (workspace_id, person_id) where kind = 'app'
             do update set key = excluded.key, counter = 0 where f.confirmed_at is null`,
    values: [whose.workspace, uuid(), whose.person, seal(new Secret({ size: 20 }).base32, secrets, 'second factor')],
  })

/** What an authenticator app reads from the QR code. */
export const uriOf = (secret: string, issuer: string, label: string) => new TOTP({ issuer, label, secret }).toString()

/**
 * Whether this is the app's code of now, of the half minute before or of the one after (RFC 6238, 5.2). A code counts
 * once, and an earlier one not after a later (OWASP ASVS 5.0, 6.5.1): of two at once, one is taken.
 */
export async function useApp(tx: Knex, whose: Whose, code: string, secrets: string[], confirm = false) {
  const [row] = await query<{ key: Buffer }>(tx, {
    text: `select f.key from ${factorsTable(whose)} f
           where f.workspace_id = $1 and f.person_id = $2 and f.kind = 'app' and (f.confirmed_at is null) = $3`,
    values: [whose.workspace, whose.person, confirm],
  })
  const secret = row && unseal(row.key, secrets, 'second factor')
  const at = currentTime(tx).getTime()
  const delta = secret && new TOTP({ secret }).validate({ token: code.replace(/[\s-]/g, ''), window: 1, timestamp: at })
  if (typeof delta !== 'number') return false
  const used = await query(tx, {
    text: `update ${factorsTable(whose)} set counter = $3, used_at = portal.now(), confirmed_at = coalesce(confirmed_at, portal.now())
           where workspace_id = $1 and person_id = $2 and kind = 'app' and counter < $3 and (confirmed_at is null) = $4
           returning id`,
    values: [whose.workspace, whose.person, Math.floor(at / 30_000) + delta, confirm],
  })
  return used.length === 1
}

const letters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'

const length = 10

/** Ten codes of 49 bits in place of those before; stored as password hashes (OWASP ASVS 5.0, 6.5.2). */
export async function newRecoveryCodes(tx: Knex, whose: Whose): Promise<string[]> {
  const codes = Array.from({ length: 10 }, () =>
    Array.from({ length }, () => letters[randomInt(letters.length)]).join(''),
  )
  const hashes = await Promise.all(codes.map(hashed))
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

/** Once: it is gone then. */
async function useRecovery(tx: Knex, whose: Whose, typed: string, secrets: string[]) {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (code.length !== length) return false
  const rows = await query<{ id: string; key: Buffer | null }>(tx, {
    text: `select id, key from ${factorsTable(whose)} where workspace_id = $1 and person_id = $2 and kind = 'recovery'`,
    values: [whose.workspace, whose.person],
  })
  const keyed = secrets.map(it => keyedRecovery(whose.person, code, it))
  const fitting = await Promise.all(rows.map(({ id, key }) => (key ? fits(key.toString(), code) : keyed.includes(id))))
  const found = rows[fitting.indexOf(true)]
  const used = await query(tx, {
    text: `delete from ${factorsTable(whose)} where workspace_id = $1 and person_id = $2 and id = $3 returning id`,
    values: [whose.workspace, whose.person, found?.id ?? null],
  })
  return used.length === 1
}

/** A code of the app of any of these accounts, which are one human's, or a recovery code. Undefined for a wrong one. */
export async function useSecond(
  tx: Knex,
  accounts: Whose[],
  code: string,
  secrets: string[],
): Promise<'totp' | 'recovery' | undefined> {
  for (const it of accounts) if (await useApp(tx, it, code, secrets)) return 'totp'
  for (const it of accounts) if (await useRecovery(tx, it, code, secrets)) return 'recovery'
  return undefined
}

/** With the recovery codes, unless they still serve a passkey. */
export const dropApp = (tx: Knex, whose: Whose) =>
  query(tx, {
    text: `delete from ${factorsTable(whose)} f where f.workspace_id = $1 and f.person_id = $2 and (f.kind = 'app' or
             (f.kind = 'recovery' and not exists (
               select from ${factorsTable(whose)} o
               where o.workspace_id = $1 and o.person_id = $2 and o.kind = 'passkey')))`,
    values: [whose.workspace, whose.person],
  })

/** Whoever uses a second factor that staff were asked to take off has it, and keeps it. */
export async function keepFactors(tx: Knex, { workspace, person }: Whose): Promise<boolean> {
  const kept = await query(tx, {
    text: `update portal.client_users set factors_end_at = null
           where workspace_id = $1 and id = $2 and factors_end_at is not null returning id`,
    values: [workspace, person],
  })
  return kept.length === 1
}

/** How long it is known before staff's taking off of second factors is done, in seconds. */
export const notice = 86_400

/**
 * Those that staff have taken off, once their day is over, and none that came in that day: with every session, so that
 * nobody stays who came before.
 */
export async function endFactors(tx: Knex, { workspace, person }: Whose): Promise<boolean> {
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
    values: [workspace, person, due.at, notice],
  })
  await query(tx, {
    text: 'delete from portal.client_sessions where workspace_id = $1 and person_id = $2',
    values: [workspace, person],
  })
  return true
}

/** As codes of before November 2026 were stored, which end with the secret that they were made with. */
const keyedRecovery = (person: string, code: string, secret: string) =>
  createHmac('sha256', secret).update(`recovery ${person} ${code}`).digest('base64url')
