import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Request } from 'express'
import ipaddr from 'ipaddr.js'
import type { Knex } from 'knex'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { RateLimited } from '../http/errors.ts'
import { currentTime } from '../platform/clock.ts'
import { keyedHash } from '../platform/crypto.ts'
import { query } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'

/** A number of attempts per period in seconds. */
type Limit = readonly [tries: number, seconds: number]

/**
 * Limits on attempts, with longer waits after more attempts (OWASP ASVS 5.0, 6.3.1): per account, per address (for
 * IPv6: per network of 64 bits), and per password across all accounts.
 */
const limits = {
  account: [
    [5, 60],
    [10, 900],
    [40, 86_400],
  ],
  address: [
    [30, 60],
    [100, 900],
  ],
  password: [[10, 3_600]],
  /** Mails of one kind to one address. Mails that others can trigger do not use up the limit of sign-in mails. */
  mail: [
    [3, 60],
    [10, 3_600],
  ],
  /** Invitations by one person, and by all people of one client. Staff's are not counted. */
  inviter: [[30, 86_400]],
  client: [[100, 86_400]],
  /** Wrong codes per address, across mails and kinds. */
  code: [
    [10, 3_600],
    [20, 86_400],
  ],
  /** Mails about a locked account. */
  lock: [
    [1, 3_600],
    [4, 86_400],
  ],
} as const satisfies Record<string, readonly Limit[]>
type What = keyof typeof limits

/** What an attempt is counted for, besides the network address. */
type Counted = Partial<Record<Exclude<What, 'address' | 'lock'>, string>>

export interface Limits {
  /**
   * Counts an attempt before its outcome is known. Throws TooOften. Returns a function that takes the attempt back when
   * it succeeds, and then resets the account's count.
   */
  count(req: Request<any>, of: Counted): Promise<() => Promise<void>>
  /** Whether a mail may tell the owner now that the account is locked: once an hour, four times a day. */
  once(req: Request<any>, account: string): Promise<boolean>
  /** Resets the count of an account whose owner has been verified. */
  forget(req: Request<any>, account: string): Promise<void>
}

interface Parts {
  database: Knex
  secrets: string[]
  log: Log
}

/** Limits that are counted in the database, and so across all processes. Input is stored only as a keyed hash. */
export function limitsOf({ database, secrets, log }: Parts): Limits {
  const made = new Map(
    Object.entries(limits).map(([what, its]) => [
      what as What,
      its.map(([points, duration]) => limiterOf(database, `${what}${duration}`, points, duration)),
    ]),
  )
  const keyed = (text: string) => keyedHash(text, secrets[0] ?? '', 'limit')

  return {
    async count(req, { password, ...of }) {
      const { workspace } = req.portal
      const all = { address: networkOf(req.ip ?? ''), ...of, ...(password && { password: fingerprint(password) }) }
      const keys = Object.entries(all).map(([what, text]): [What, string] => [
        what as What,
        keyed(`${workspace.id} ${text}`),
      ])
      for (const [what, key] of keys) {
        const wait = Math.max(0, ...(await Promise.all((made.get(what) ?? []).map(it => consume(it, key)))))
        if (!wait) continue
        log.warn({ workspace: workspace.slug, limit: what, request: req.portal.id }, 'tries were slowed down')
        throw new RateLimited(Math.ceil(wait / 1_000), what)
      }
      return async () => {
        for (const [what, key] of keys)
          for (const it of made.get(what) ?? []) await (what === 'account' ? it.delete(key) : it.reward(key))
      }
    },
    async once(req, account) {
      const key = keyed(`${req.portal.workspace.id} ${account}`)
      const waits = await Promise.all((made.get('lock') ?? []).map(it => consume(it, key)))
      return waits.every(it => it === 0)
    },
    async forget(req, account) {
      const key = keyed(`${req.portal.workspace.id} ${account}`)
      for (const it of made.get('account') ?? []) await it.delete(key)
    },
  }
}

/** Whether this is the first call with this key within so many seconds. Of two concurrent calls, one is the first. */
export async function firstUse(database: Knex, key: string, seconds: number): Promise<boolean> {
  const first = await query(database, {
    text: `insert into portal_jobs.limits (key, points, expire) values ($1, 1, $2) on conflict do nothing returning key`,
    // The library that clears this table compares with the process's clock, so rows expire by that.
    values: [key, Date.now() + seconds * 1_000],
  })
  return first.length === 1
}

/** How many events there were since the period began, the last one included. */
interface Tally {
  count: number
  since: Date
}

/** Returns a counter of events per period. */
export function tallies(database: Knex): (what: string, who: string, seconds: number) => Promise<Tally> {
  const made = new Map<string, RateLimiterPostgres>()
  return async (what, who, seconds) => {
    const it = made.get(what) ?? limiterOf(database, what, Number.MAX_SAFE_INTEGER, seconds)
    made.set(what, it)
    const { consumedPoints, msBeforeNext } = await it.penalty(createHash('sha256').update(who).digest('base64url'))
    return { count: consumedPoints, since: new Date(currentTime(database).getTime() + msBeforeNext - seconds * 1_000) }
  }
}

const limiterOf = (database: Knex, keyPrefix: string, points: number, duration: number) => {
  const storeClient = {
    query: async ({ text, values }: { text: string; values: unknown[] }) => {
      const rows = await query(database, { text, values })
      return { rows, rowCount: rows.length }
    },
  }
  return new RateLimiterPostgres({
    ...{ storeClient, storeType: 'client', schemaName: 'portal_jobs', tableName: 'limits', tableCreated: true },
    ...{ keyPrefix, points, duration, clearExpiredByTimeout: true },
  })
}

/** Returns the milliseconds to wait, 0 for an allowed attempt. */
async function consume(limiter: RateLimiterPostgres, key: string): Promise<number> {
  try {
    await limiter.consume(key)
    return 0
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return refused.msBeforeNext
    throw refused
  }
}

const fingerprint = (password: string) => createHash('sha256').update(password).digest('base64url')

/**
 * Returns the network of an address. An IPv6 customer has a whole network, with too many addresses to count one by one
 * (RFC 6177).
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const it = ipaddr.process(address)
  return it instanceof ipaddr.IPv6 ? it.parts.slice(0, 4).map(hexadecimal).join(':') : it.toString()
}

const hexadecimal = (group: number) => group.toString(16)
