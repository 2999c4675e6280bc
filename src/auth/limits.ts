import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { keyedHash } from '../crypto.ts'
import { query } from '../database.ts'
import { TooOften } from '../errors.ts'
import type { Log } from '../log.ts'

/** Tries, in seconds. */
type Limit = readonly [tries: number, seconds: number]

/**
 * How often something may be tried before it has to wait, the longer the more often (OWASP ASVS 5.0, 6.3.1): for one
 * account, from one address (of IPv6 its network of 64 bits), and with one password on however many accounts.
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
  /** Mails of one kind to one address: those that others can cause use up none of those that lead in. */
  mail: [
    [3, 60],
    [10, 3_600],
  ],
  /** Invitations that one person, and all of one client, may send; staff's are not counted. */
  inviter: [[30, 86_400]],
  client: [[100, 86_400]],
  /** Wrong codes of one address, of however many mails and kinds. */
  code: [
    [10, 3_600],
    [20, 86_400],
  ],
  /** Mails that tell of a lock. */
  lock: [
    [1, 3_600],
    [4, 86_400],
  ],
} as const satisfies Record<string, readonly Limit[]>
type What = keyof typeof limits

/** What a try is counted for, beside the address that it comes from. */
type Counted = Partial<Record<Exclude<What, 'address' | 'lock'>, string>>

export interface Limits {
  /**
   * Counts a try, before it is known how it ends. Throws TooOften. What it gives takes the try back, for one that
   * succeeded: the account's are forgotten then.
   */
  count(req: Request<any>, of: Counted): Promise<() => Promise<void>>
  /** Whether the lock of this account may be told now: once an hour, four times a day. */
  once(req: Request<any>, account: string): Promise<boolean>
  /** Forgets the tries at an account, for who has proven to be its owner. */
  forget(req: Request<any>, account: string): Promise<void>
}

interface Parts {
  database: Knex
  secrets: string[]
  log: Log
}

/** Counted in the database: the same for every process. Nothing that is typed is stored, only its keyed hash. */
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
        throw new TooOften(Math.ceil(wait / 1_000), what)
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

/** How often something happened within so many seconds from its first time on, this time included. */
export function tallies(database: Knex): (what: string, who: string, seconds: number) => Promise<number> {
  const made = new Map<string, RateLimiterPostgres>()
  return async (what, who, seconds) => {
    const it = made.get(what) ?? limiterOf(database, what, Number.MAX_SAFE_INTEGER, seconds)
    made.set(what, it)
    return (await it.penalty(createHash('sha256').update(who).digest('base64url'))).consumedPoints
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

/** Milliseconds to wait, 0 for a try that is allowed. */
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

/** A customer of IPv6 has a network of their own, with more addresses than anybody could count (RFC 6177). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const plain = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (plain) return plain
  const [head = '', tail = ''] = address.toLowerCase().split('%')[0]!.split('::')
  const groups = head.split(':').filter(Boolean)
  const rest = tail.split(':').filter(Boolean)
  const all = address.includes('::')
    ? [...groups, ...Array(Math.max(0, 8 - groups.length - rest.length)).fill('0'), ...rest]
    : groups
  return all
    .slice(0, 4)
    .map(it => Number.parseInt(it, 16).toString(16))
    .join(':')
}
