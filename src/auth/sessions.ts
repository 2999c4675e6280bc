import { createHash, randomBytes } from 'node:crypto'
import connectPgSimple from 'connect-pg-simple'
import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import type { Knex } from 'knex'
import { currentTime } from '../clock.ts'
import type { Person, Role } from '../crm.ts'
import { derived } from '../crypto.ts'
import { query } from '../database.ts'
import type { Log } from '../log.ts'
import type { Rights } from './roles.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Holds our own session. */
      aside: Aside
      visitor: Visitor | undefined
    }
  }
}

/** What a session holds: who signed in, where, and for which of their clients. */
export interface Held {
  workspace?: string
  person?: string
  client?: string
  /** How this person has shown who they are, the first one at sign-in. */
  proofs?: Proof[]
  /** From where it was begun, as the browser calls itself. */
  agent?: string
  address?: string
  /** Who has shown the first factor, and not the second yet: nobody is signed in by this. */
  half?: {
    person: string
    email: string
    next: string
    proof: Proof
    /** Of staff of a portal that stands alone: what it was when they showed it. */
    state?: string
  }
  /** Staff of a portal that stands alone: the slug and id of their workspace, and the state of what they sign in with. */
  staff?: { id: string; workspace: string; of: string; state: string }
  /** When the database was last told that it is in use, in milliseconds since 1970. */
  used?: number
}

/** `at` in milliseconds since 1970. */
export interface Proof {
  by: 'password' | 'code' | 'link' | 'invitation' | 'totp' | 'recovery' | 'passkey' | 'token'
  at: number
}

/** What the database tells of who sends a request, fresh with each. */
export interface Visitor {
  person: Person & { suspended: boolean }
  memberships: { client: string; name: string; role: Role; contact: string | null }[]
  /** Rows of `client_portal_settings`: client, person, name, value. */
  settings: [string, string, string, unknown][]
  rights: Rights
  /** Whether they have a second factor. */
  factor: boolean
}

/** Ends 24 hours after the last request, and 30 days after sign-in (OWASP ASVS 5.0, 7.3.1 and 7.3.2). */
const idle = 24 * 60 * 60 * 1000
const absolute = 30 * idle
/** A later end is written at most this often, so that reading pages costs no write. */
const touchEvery = 5 * 60 * 1000

/**
 * Loads the session of Portico's own cookie into `req.portal.session`, with who it belongs to in `req.portal.visitor`.
 * express-session writes on the request, where the host's own session may be: it is given an object that inherits
 * from the request, so the host's stay as they are.
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
      // The browser keeps it for as long as a session may last; the database knows whether it still does.
      maxAge: absolute,
    }),
  })

  return (req, res, next) => {
    const aside: Aside = Object.create(req, { session: { value: undefined, writable: true } })
    let loaded = false
    load(aside, res, error => {
      // It is called again when the session cannot be stored at the end: the answer is on its way by then.
      if (loaded) return error && log.error({ request: req.portal.id, err: error }, 'a session could not be stored')
      loaded = true
      req.portal.aside = aside
      if (aside.now) req.portal.now = aside.now
      if (aside.session?.workspace === req.portal.workspace.id) req.portal.visitor = aside.visitor
      next(error)
    })
  }
}

interface Parts {
  database: Knex
  secrets: string[]
  log: Log
}

/** A request of our own to write on, which reads like the host's. */
export interface Aside extends Omit<Request, 'session'> {
  session: session.Session & Held
  visitor?: Visitor
  /** What time it was by the database's clock when it was asked for the session. */
  now?: Date
  written?: number
}

/** Stores what was set on the session, before the answer says so. */
export const save = ({ portal: { aside } }: Request<any>) =>
  new Promise<void>((resolve, reject) => aside.session.save(error => (error ? reject(error) : resolve())))

/** Ends this session for good: nothing of it is stored again with the answer. */
export async function end({ portal: { aside } }: Request<any>): Promise<void> {
  const { sessionStore, sessionID } = aside
  await new Promise<void>((resolve, reject) =>
    sessionStore.destroy(sessionID, error => (error ? reject(error) : resolve())),
  )
  Object.assign(aside, { session: undefined })
}

/** Where sessions are kept, of clients and of staff: in the database, under the hash of their ids. */
export const sessionStore = (database: Knex, log: Log): session.Store => new Sessions(database, log)

/** Forgets sessions whose time is over. */
export const prune = (database: Knex) =>
  query(database, { text: 'delete from portal.client_sessions where expire < portal.now()' })

/** connect-pg-simple that knows ids only by their SHA-256, and asks for the person together with the session. */
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
    query(this.#database, { name: 'portal.enter', text: 'select portal.enter($1) as it', values: [storedId(id)] }).then(
      ([row]) => done(null, row?.it && { ...row.it.sess, [told]: row.it }),
      done,
    )
  }

  /** express-session copies only what is stored: the rest goes to the request. */
  createSession(req: Aside, data: session.SessionData & Held & { [told]?: Visitor & { now: string } }) {
    req.visitor = data[told]
    if (data[told]) req.now = new Date(data[told].now)
    req.written = data.used ?? 0
    return session.Store.prototype.createSession.call(this, req, data)
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void) {
    const used = currentTime(this.#database).getTime()
    const { cookie, ...held } = JSON.parse(JSON.stringify(data))
    super.set(storedId(id), { ...held, used, cookie: { ...cookie, expires: new Date(used + idle) } }, done)
  }

  override destroy(id: string, done?: (error?: unknown) => void) {
    super.destroy(storedId(id), done)
  }

  override touch(id: string, data: session.SessionData & { req?: Aside }, done?: () => void) {
    const used = currentTime(this.#database).getTime()
    if (used - (data.req?.written ?? 0) < touchEvery) return done?.()
    query(this.#database, {
      text: `update portal.client_sessions set expire = to_timestamp($2 / 1000.0), sess = jsonb_set(sess, '{used}', to_jsonb($3::bigint))
             where sid = $1`,
      values: [storedId(id), used + idle, used],
    }).then(() => done?.(), done)
  }
}

/** The first signs. Cookies of before November 2026 were signed with the secrets themselves. */
export const cookieSecrets = (secrets: string[]) => [...secrets.map(it => derived(it, 'session cookie')), ...secrets]

const told = Symbol('who this session belongs to')
/** As an id is stored: what is read from the database opens nothing. */
export const storedId = (id: string) => createHash('sha256').update(id).digest('base64url')
