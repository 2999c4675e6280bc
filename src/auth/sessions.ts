import { createHash, randomBytes } from 'node:crypto'
import connectPgSimple from 'connect-pg-simple'
import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import type { Knex } from 'knex'
import type { Person, Role } from '../crm/crm.ts'
import { currentTime } from '../platform/clock.ts'
import { derived } from '../platform/crypto.ts'
import { query } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { Rights } from './roles.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** The request that holds the portal's own session. */
      sessionRequest: SessionRequest
      user: SignedInUser | undefined
    }
  }
}

/** A session's data: who signed in, in which workspace, and for which of their clients. */
export interface SessionData {
  workspace?: string
  person?: string
  client?: string
  /** How this person was verified; the first one is the sign-in. */
  verifications?: Verification[]
  /** The User-Agent header of the browser that began the session. */
  agent?: string
  address?: string
  /** Who has entered the first factor but not the second. This signs nobody in. */
  pendingFactor?: {
    person: string
    email: string
    next: string
    proof: Verification
    /** Stand-alone staff: the state of their account when they entered the first factor. */
    state?: string
  }
  /** Stand-alone staff: the slug and id of their workspace, and the state of their account. */
  staff?: { id: string; workspace: string; of: string; state: string }
  /** When the last use was written to the database, in milliseconds since 1970. */
  used?: number
}

/** A verification; `at` in milliseconds since 1970. */
export interface Verification {
  by: 'password' | 'code' | 'text' | 'link' | 'invitation' | 'totp' | 'recovery' | 'passkey' | 'token' | 'custom'
  at: number
  /** The title of the CRM's own strategy. */
  title?: string
}

/** The signed-in user, read from the database with each request. */
export interface SignedInUser {
  person: Person & { suspended: boolean }
  memberships: { client: string; name: string; role: Role; contact: string | null }[]
  /** Rows of `client_portal_settings`: client, person, name, value. */
  settings: [string, string, string, unknown][]
  rights: Rights
  /** Whether they have a second factor. */
  factor: boolean
  /** Whether one of their clients was left out because its portal is switched off. */
  switchedOff?: boolean
}

/** A session ends 24 hours after the last request, and 30 days after sign-in (OWASP ASVS 5.0, 7.3.1 and 7.3.2). */
const idleTimeout = 24 * 60 * 60 * 1000
const absoluteTimeout = 30 * idleTimeout
/** How often the last use is written at most, so that reading pages causes few writes. */
const touchInterval = 5 * 60 * 1000

/**
 * Loads the session of Portico's own cookie into `req.portal.session`, and its user into `req.portal.user`.
 * express-session writes to the request, where the host may keep its own session. So it gets an object that inherits
 * from the request, and the host's properties stay as they are.
 */
export function sessions({ database, secrets, log }: Parts): RequestHandler {
  const load = session({
    store: sessionStore(database, log),
    secret: cookieSecrets(secrets),
    name: 'portico.sid',
    genid: () => randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: req => ({
      path: (req as Request).portal.url(''),
      httpOnly: true,
      sameSite: 'lax',
      secure: (req as Request).secure,
      // The cookie lasts as long as a session may; the database decides whether the session is still valid.
      maxAge: absoluteTimeout,
    }),
  })

  return (req, res, next) => {
    const sessionRequest: SessionRequest = Object.create(req, { session: { value: undefined, writable: true } })
    let loaded = false
    load(sessionRequest, res, error => {
      // express-session calls this again if the session cannot be stored at the end, when the response has already
      // begun.
      if (loaded) return error && log.error({ request: req.portal.id, err: error }, 'a session could not be stored')
      loaded = true
      req.portal.sessionRequest = sessionRequest
      if (isByPage(req)) sessionRequest.lastWrite = Number.POSITIVE_INFINITY
      if (sessionRequest.now) req.portal.now = sessionRequest.now
      if (sessionRequest.session?.workspace === req.portal.workspace.id) req.portal.user = sessionRequest.user
      next(error)
    })
  }
}

/** Whether an open page asks by itself, and nobody uses it: the session is not prolonged. */
export const isByPage = (req: Request<any>, live = '/live') =>
  req.path === live || req.get('X-Portico-Refresh') !== undefined

interface Parts {
  database: Knex
  secrets: string[]
  log: Log
}

/** Our own request object, which inherits from the host's. */
export interface SessionRequest extends Omit<Request, 'session'> {
  session: session.Session & SessionData
  user?: SignedInUser
  /** The database's time when the session was read. */
  now?: Date
  lastWrite?: number
}

/** Stores the session before the response is sent. */
export const saveSession = ({ portal: { sessionRequest } }: Request<any>) =>
  new Promise<void>((resolve, reject) => sessionRequest.session.save(error => (error ? reject(error) : resolve())))

/** Says that another session of the same person takes the place of this one, which therefore is not ended by anybody. */
export const markReplaced = ({ portal: { sessionRequest } }: Request<any>): Promise<void> =>
  (sessionRequest.sessionStore as unknown as Sessions).expire(sessionRequest.sessionID)

/** Ends this session for good; the response does not store it again. */
export async function endSession({ portal: { sessionRequest } }: Request<any>): Promise<void> {
  const { sessionStore, sessionID } = sessionRequest
  await new Promise<void>((resolve, reject) =>
    sessionStore.destroy(sessionID, error => (error ? reject(error) : resolve())),
  )
  Object.assign(sessionRequest, { session: undefined })
}

/** Stores the sessions of clients and staff in the database, under hashed ids. */
export const sessionStore = (database: Knex, log: Log): session.Store => new Sessions(database, log)

/** Deletes expired sessions. */
export const pruneSessions = (database: Knex) =>
  query(database, { text: 'delete from portal.client_sessions where expire < portal.now()' })

/** Extends connect-pg-simple: stores ids only as SHA-256, and reads the person together with the session. */
class Sessions extends connectPgSimple(session) {
  readonly #database: Knex

  constructor(database: Knex, log: Log) {
    const rows = async (text: string, values: unknown[]) => ({ rows: await query(database, { text, values }) })
    super({
      pool: { query: rows } as never,
      schemaName: 'portal',
      tableName: 'client_sessions',
      pruneSessionInterval: false,
      errorLog: (sentence: string, error: unknown) => log.error({ err: error }, sentence),
    })
    this.#database = database
  }

  override get(id: string, done: (error: unknown, session?: session.SessionData | null) => void) {
    query(this.#database, {
      name: 'portal.load_session',
      text: 'select portal.load_session($1) as it',
      values: [storedId(id)],
    }).then(([row]) => done(null, row?.it && { ...row.it.sess, [userKey]: row.it }), done)
  }

  /** express-session copies only what is stored; the rest is set on the request. */
  createSession(
    req: SessionRequest,
    data: session.SessionData & SessionData & { [userKey]?: SignedInUser & { now: string } },
  ) {
    req.user = data[userKey]
    if (data[userKey]) req.now = new Date(data[userKey].now)
    req.lastWrite = data.used ?? 0
    return session.Store.prototype.createSession.call(this, req, data)
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void) {
    const used = currentTime(this.#database).getTime()
    const { cookie, ...held } = JSON.parse(JSON.stringify(data))
    super.set(storedId(id), { ...held, used, cookie: { ...cookie, expires: new Date(used + idleTimeout) } }, done)
  }

  override destroy(id: string, done?: (error?: unknown) => void) {
    super.destroy(storedId(id), done)
  }

  async expire(id: string): Promise<void> {
    await query(this.#database, {
      text: 'update portal.client_sessions set expire = portal.now() where sid = $1',
      values: [storedId(id)],
    })
  }

  override touch(id: string, data: session.SessionData & { req?: SessionRequest }, done?: () => void) {
    const used = currentTime(this.#database).getTime()
    if (used - (data.req?.lastWrite ?? 0) < touchInterval) return done?.()
    query(this.#database, {
      text: `update portal.client_sessions set expire = to_timestamp($2 / 1000.0), sess = jsonb_set(sess, '{used}', to_jsonb($3::bigint))
             where sid = $1`,
      values: [storedId(id), used + idleTimeout, used],
    }).then(() => done?.(), done)
  }
}

/**
 * Returns the keys of session cookies; the first one signs. Cookies from before November 2026 were signed with the
 * secrets themselves.
 */
export const cookieSecrets = (secrets: string[]) => [...secrets.map(it => derived(it, 'session cookie')), ...secrets]

const userKey = Symbol('who this session belongs to')
/** Returns the hash under which a session id is stored, so that a leaked table contains no usable id. */
export const storedId = (id: string) => createHash('sha256').update(id).digest('base64url')
