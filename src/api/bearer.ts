import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Aside, Visitor } from '../auth/sessions.ts'
import { query, within } from '../database.ts'
import { BadToken, TooOften } from '../errors.ts'
import type { Log } from '../log.ts'
import { accessId, used } from './tokens.ts'

/** Requests of one person with tokens in a minute, at each process. */
const most = 1_000
/** The last use is written at most this often. */
const toldEvery = 5 * 60 * 1000

/**
 * Who sends a token to the API is known by it alone: no cookie is read or set (RFC 6750, 2.1). Anybody else goes by
 * the session of their browser.
 */
export function bearer({ database, log }: { database: Knex; log: Log }, session: RequestHandler): RequestHandler {
  const limiter = new RateLimiterMemory({ points: most, duration: 60 })
  const told = new Map<string, number>()

  const note = (workspace: string, id: string, address: string | undefined) => {
    if ((told.get(id) ?? 0) > Date.now() - toldEvery) return
    if (told.size > 10_000) told.clear()
    told.set(id, Date.now())
    within(database, { workspace }, tx => used(tx, workspace, id, address ?? null)).catch(err =>
      log.warn({ err }, 'the last use of a token was not written'),
    )
  }

  return async (req, res, next) => {
    const token = tokenOf(req)
    if (token === undefined) return req.portal.cookieless ? next() : session(req, res, next)
    const { workspace } = req.portal
    const [row] = await query<{ it: (Visitor & { sess: Held; now: string }) | null }>(database, {
      name: 'portal.enter',
      text: 'select portal.enter($1) as it',
      values: [accessId(token)],
    })
    const it = row?.it
    if (!it || it.sess.workspace !== workspace.id) throw new BadToken()
    await limiter.consume(it.sess.person).catch(refused => {
      throw new TooOften(Math.ceil((refused.msBeforeNext ?? 60_000) / 1_000), 'api')
    })
    const { api, scopes, ...held } = it.sess
    req.portal.bearer = { id: api, scopes }
    req.portal.aside = Object.create(req, { session: { value: held, writable: true } }) as Aside
    req.portal.visitor = it
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

/** Only the API takes tokens, and only from its header: never from an address, which is written down. */
const tokenOf = (req: Request): string | undefined => {
  const found = req.portal.wants === 'json' && /^Bearer(?: +(.*))?$/i.exec(req.get('Authorization') ?? '')
  return found ? (found[1] ?? '') : undefined
}
