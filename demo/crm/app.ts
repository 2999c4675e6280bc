import { join } from 'node:path'
import connectPgSimple from 'connect-pg-simple'
import express, { type Express } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import type { Knex } from 'knex'
import passport from 'passport'
import { failed, notFound } from './errors.ts'
import { formats } from './format.ts'
import { sameOrigin } from './origin.ts'
import { clientPages } from './pages/clients.ts'
import { homePages } from './pages/home.ts'
import { invoicePages } from './pages/invoices.ts'
import { paperPages } from './pages/papers.ts'
import { settingsPages } from './pages/settings.ts'
import { kinds } from './papers/kinds.ts'
import { signedIn, signInPages } from './sign-in.ts'
import { viewEngine } from './views.ts'

export type CrmOptions = {
  database: Knex
  secret: string
  /** YYYY-MM-DD; otherwise the day it is in the workspace's time zone */
  today?: string
  /** shown on the settings page */
  links?: { href: string; label: string }[]
  /** HTML that stands beside a proposal, quotation or invoice. */
  beside?(paper: { workspaceId: number; slug: string; clientId: number; kind: string; id: number }): Promise<string>
  mount?: {
    /** before the session and the body parsers */
    early?(app: Express): void
    /** after session, passport and body parsers, before the CRM's own pages and its 404 */
    late?(app: Express): void
  }
}

const PgStore = connectPgSimple(session)

/** Holds nothing open besides `database`: whoever made that closes it. */
export function createCrm({ database, secret, today, links = [], beside, mount }: CrmOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.engine('eta', viewEngine)
  app.set('view engine', 'eta')
  app.set('views', join(import.meta.dirname, 'views'))
  Object.assign(app.locals, { product: 'Tandem CRM', database, today, links, beside, format: formats })

  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: policy },
      referrerPolicy: { policy: 'same-origin' },
      strictTransportSecurity: false,
    }),
  )
  app.use('/assets', express.static(join(import.meta.dirname, 'public'), { maxAge: '1h', index: false }))
  mount?.early?.(app)

  app.use(
    session({
      name: 'crm.sid',
      secret,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: 12 * 60 * 60 * 1000 },
      store: new PgStore({ pool: poolOver(database), tableName: 'user_sessions', pruneSessionInterval: false }),
    }),
  )
  app.use(passport.initialize())
  app.use(passport.session())
  app.use(express.json())
  app.use(express.urlencoded({ extended: true }))
  mount?.late?.(app)

  const pages = express.Router()
  pages.use(sameOrigin)
  pages.use(signInPages())
  pages.get('/', signedIn, homePages)
  pages.use('/clients', signedIn, clientPages())
  pages.use('/proposals', signedIn, paperPages(kinds.proposals))
  pages.use('/quotations', signedIn, paperPages(kinds.quotations))
  pages.use('/invoices', signedIn, paperPages(kinds.invoices), invoicePages())
  pages.use('/settings', signedIn, settingsPages())
  app.use(pages)
  app.use(notFound)
  app.use(failed)
  return app
}

const policy = {
  'default-src': ["'none'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'form-action': ["'self'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'self'"],
}

type PgPool = NonNullable<NonNullable<ConstructorParameters<typeof PgStore>[0]>['pool']>

function poolOver(database: Knex): PgPool {
  const query = async (text: string, values?: unknown[]) => {
    const connection = await database.client.acquireConnection()
    try {
      return await connection.query(text, values)
    } finally {
      await database.client.releaseConnection(connection)
    }
  }
  return { query } as unknown as PgPool
}
