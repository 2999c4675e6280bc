import type { Knex } from 'knex'
import { Strategy } from 'passport-local'
import type { Identity } from '../crm.ts'
import { within } from '../database.ts'
import { fits } from './passwords.ts'
import { accountOf } from './people.ts'
import type { Aside } from './sessions.ts'

/**
 * Sign-in by e-mail and password, as a passport strategy: fields `email` and `password`. Who has no password of the
 * portal's own is known by the CRM's, where it has passwords. The CRM is asked of unknown addresses too, so that these
 * take as long.
 */
export const password = (database: Knex, identity: Identity | undefined) =>
  new Strategy(
    { usernameField: 'email', passReqToCallback: true },
    (req: unknown, email: string, typed: string, done: (error: unknown, account?: object | false) => void) => {
      const { workspace } = (req as Aside).portal
      within(database, { workspace: workspace.id }, tx => accountOf(tx, workspace.id, email.trim().toLowerCase()))
        .then(async account => {
          if (await fits(account?.password_hash, typed)) return account
          const known = account?.password_hash ? undefined : await identity?.verify(workspace, email, typed)
          return known && account
        })
        .then(account => done(null, account ?? false), done)
    },
  )
