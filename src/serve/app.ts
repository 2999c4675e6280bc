import { randomBytes } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express'
import session from 'express-session'
import type { Knex } from 'knex'
import { cookieSecrets, isByPage, type SessionRequest, sessionStore } from '../auth/sessions.ts'
import type { adapterOf } from '../crm/mapping/adapter.ts'
import { CrmUnavailable, Problem } from '../http/errors.ts'
import type { Options } from '../options.ts'
import { unreachable } from '../platform/database.ts'
import type { Flags } from '../platform/flags.ts'
import type { Log } from '../platform/log.ts'
import { assemble, type Portal } from '../portal.ts'
import { staffPages } from './pages.ts'
import { findPresentStaff } from './session.ts'
import { staffOf } from './staff.ts'

interface Parts {
  database: Knex
  /** See Options. */
  directDatabase?: Knex
  crm: ReturnType<typeof adapterOf>
  flags: Flags
  /** The secrets, newest first. */
  secrets: string[]
  log: Log
  /** Where clients find it, and how mail is sent. Unless both are given, no mail is sent. */
  address?: string
  mail?: Options['mail']
  /** Where replies to mails arrive: see Options. */
  replies?: Options['replies']
  /** Express's `trust proxy`: which proxy is trusted. */
  trustProxy?: string | boolean
  /** False behind a pooler without prepared statements: see Options. */
  preparedStatements?: boolean
  /** The token for reading the metrics from another machine: see Options. */
  metricsToken?: string
  /** Where uploaded files are stored, and the virus scanner: see Options. */
  files?: Options['files']
  scanner?: string
  /** Path of a GeoIP database: see Options. */
  geoip?: string
  /** Additional sections: see Options. */
  plugins?: Options['plugins']
}

/** The portal as an app of its own, for a CRM that is no Express app: the same routers, and a sign-in for staff. */
export async function standAlone({
  address,
  database,
  crm,
  flags,
  log,
  mail,
  secrets,
  trustProxy,
  ...more
}: Parts): Promise<{ app: Express; portal: Portal; staff: Router; close(): Promise<void> }> {
  const colleagues = staffOf(database, crm.staff)
  const { portal, ...parts } = await assemble({
    ...{ address, database, crm, flags, log, mail, secrets },
    ...more,
    staff: req => findPresentStaff(req, colleagues),
  })

  const staff = staffPages({ ...parts, database, flags, log, secrets, staff: colleagues })
  const app = express()
  app.disable('x-powered-by')
  if (trustProxy) app.set('trust proxy', trustProxy)
  app.use('/portal', portal.webhooks)
  app.use('/portal', portal.clients)
  app.use(['/settings', '/staff'], sessionsOfStaff(database, secrets, log), unlessByPage)
  app.use('/staff', staff)
  app.use('/settings/client-portal', portal.settings)
  app.use((_req, res) => void res.sendStatus(404))
  app.use(failed(log))
  return { app, portal, staff, close: portal.close }
}

/** Answers errors that no portal page could, such as a failure to read the staff session. */
const failed =
  (log: Log): ErrorRequestHandler =>
  (error, _req, res, next) => {
    if (res.headersSent) return next(error)
    if (error.status >= 400 && error.status < 500) return void res.sendStatus(error.status)
    const away = unreachable(error)
    const { status, message, advice } = away ? new CrmUnavailable() : new Problem()
    log.error({ err: error }, message)
    if (away) res.set('Retry-After', '30')
    const told = away ? `${message} ${advice}` : message
    res.status(status).set('Cache-Control', 'no-store').type('text').send(told)
  }

/** A session ends after a day without use, in milliseconds. */
const idle = 24 * 60 * 60 * 1000

/** What an open page asks for by itself does not prolong a session. */
const unlessByPage: RequestHandler = (req, _res, next) => {
  if (isByPage(req, '/client-portal/live')) (req as unknown as SessionRequest).lastWrite = Number.POSITIVE_INFINITY
  next()
}

const sessionsOfStaff = (database: Knex, secrets: string[], log: Log) =>
  session({
    store: sessionStore(database, log),
    secret: cookieSecrets(secrets),
    name: 'portico.staff',
    genid: () => randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: idle },
  })
