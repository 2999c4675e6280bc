import { randomBytes } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type Router } from 'express'
import session from 'express-session'
import type { Knex } from 'knex'
import { cookieSecrets, sessionStore } from '../auth/sessions.ts'
import type { adapterOf } from '../crm/map/adapter.ts'
import { unreachable } from '../database.ts'
import { CrmUnavailable, Problem } from '../errors.ts'
import type { Flags } from '../flags.ts'
import type { Log } from '../log.ts'
import type { Options } from '../options.ts'
import { assemble, type Portal } from '../portal.ts'
import { staffPages } from './pages.ts'
import { presentStaff } from './session.ts'
import { staffOf } from './staff.ts'

interface Parts {
  database: Knex
  /** See Options. */
  directDatabase?: Knex
  crm: ReturnType<typeof adapterOf>
  flags: Flags
  /** The newest first. */
  secrets: string[]
  log: Log
  /** Where clients find it, and how mail is sent: without both nothing is mailed. */
  address?: string
  mail?: Options['mail']
  /** As Express has it: behind a proxy, which one is believed. */
  trustProxy?: string | boolean
  /** False behind a pooler that keeps no names: see Options. */
  preparedStatements?: boolean
  /** Who may read the metrics from another machine: see Options. */
  metricsToken?: string
  /** More sections: see Options. */
  plugins?: Options['plugins']
}

/** The portal as an app of its own, beside a CRM that is no Express app: the same routers, and a sign-in for staff. */
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
    staff: req => presentStaff(req, colleagues),
  })

  const staff = staffPages({ ...parts, database, flags, log, secrets, staff: colleagues })
  const app = express()
  app.disable('x-powered-by')
  if (trustProxy) app.set('trust proxy', trustProxy)
  app.use('/portal', portal.webhooks)
  app.use('/portal', portal.clients)
  app.use(['/settings', '/staff'], sessionsOfStaff(database, secrets, log))
  app.use('/staff', staff)
  app.use('/settings/client-portal', portal.settings)
  app.use((_req, res) => void res.sendStatus(404))
  app.use(failed(log))
  return { app, portal, staff, close: portal.close }
}

/** What no page of the portal could answer, such as where the session of staff cannot be read. */
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

/** A day without use ends it. */
const idle = 24 * 60 * 60 * 1000

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
