import type { Knex } from 'knex'
import { Strategy } from 'passport-local'
import { within } from '../database.ts'
import { fits } from './passwords.ts'
import { accountOf } from './people.ts'
import type { Aside } from './sessions.ts'

/** Sign-in by e-mail and password, as a passport strategy: fields `email` and `password`. */
export const password = (database: Knex) =>
  new Strategy(
    { usernameField: 'email', passReqToCallback: true },
    (req: unknown, email: string, typed: string, done: (error: unknown, account?: object | false) => void) => {
      const { workspace } = (req as Aside).portal
      within(database, { workspace: workspace.id }, tx => accountOf(tx, workspace.id, email.trim().toLowerCase()))
        .then(async account => ((await fits(account?.password_hash, typed)) ? account : false))
        .then(account => done(null, account ?? false), done)
    },
  )
