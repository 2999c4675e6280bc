import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { SessionRequest, SignedInUser } from '../auth/sessions.ts'
import { InvalidToken, RateLimited } from '../http/errors.ts'
import { query, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { accessId, used } from './tokens.ts'

/** How many requests with tokens one person may send in a minute, to each process. */
const requestsPerMinute = 1_000
/** How often the last use is written at most, in milliseconds. */
const writeInterval = 5 * 60 * 1000

/**
 * Identifies the sender of an API request by its token alone: no cookie is read or set (RFC 6750, 2.1). Requests
 * without a token use the browser's session.
 */
export function bearer({ database, log }: { database: Knex; log: Log }, session: RequestHandler): RequestHandler {
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 })
  const lastWritten = new Map<string, number>()

  const note = (workspace: string, id: string, address: string | undefined) => {
    if ((lastWritten.get(id) ?? 0) > Date.now() - writeInterval) return
    if (lastWritten.size > 10_000) lastWritten.clear()
    lastWritten.set(id, Date.now())
    within(database, { workspace }, tx => used(tx, workspace, id, address ?? null)).catch(err =>
      log.warn({ err }, 'the last use of a token was not written'),
    )
  }

  return async (req, res, next) => {
    const token = tokenOf(req)
    if (token === undefined) return req.portal.cookieless ? next() : session(req, res, next)
    const { workspace } = req.portal
    const [row] = await query<{ it: (SignedInUser & { sess: Held; now: string }) | null }>(database, {
      name: 'portal.load_session',
      text: 'select portal.load_session($1) as it',
      values: [accessId(token)],
    })
    const it = row?.it
    if (!it || it.sess.workspace !== workspace.id) throw new InvalidToken()
    await limiter.consume(it.sess.person).catch(refused => {
      throw new RateLimited(Math.ceil((refused.msBeforeNext ?? 60_000) / 1_000), 'api')
    })
    const { api, scopes, ...held } = it.sess
    req.portal.bearer = { id: api, scopes }
    req.portal.sessionRequest = Object.create(req, { session: { value: held, writable: true } }) as SessionRequest
    req.portal.user = it
    req.portal.now = new Date(it.now)
    note(workspace.id, api, req.ip)
    next()
  }
}

interface Held {
  workspace: string
  person: string
  client: string
  api: string
  scopes: string[] | null
}

/**
 * Returns the token. Only the API accepts tokens, and only in its header: never in an address, which ends up in logs.
 */
const tokenOf = (req: Request): string | undefined => {
  const found = req.portal.wants === 'json' && /^Bearer(?: +(.*))?$/i.exec(req.get('Authorization') ?? '')
  return found ? (found[1] ?? '') : undefined
}
