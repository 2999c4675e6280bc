import type { Knex } from 'knex'
import { Strategy } from 'passport-local'
import type { Identity, Workspace } from '../crm.ts'
import { within } from '../database.ts'
import { fits } from './passwords.ts'
import { accountOf } from './people.ts'
import type { Aside } from './sessions.ts'
import type { Account } from './way.ts'

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
        .then(async account => (await knows(identity, workspace, account, typed, email)) && account)
        .then(account => done(null, account || false), done)
    },
  )

/**
 * Whether this is the password of this account. Somebody who is not there takes as long, and so does a wrong password of
 * the portal's own: the CRM is asked all the same, and where it cannot be, nobody is told apart.
 */
export async function knows(
  identity: Identity | undefined,
  workspace: Workspace,
  account: Account | undefined,
  typed: string,
  email = account?.email ?? '',
): Promise<boolean> {
  if (await fits(account?.password_hash, typed)) return true
  const theirs = await identity?.verify(workspace, email, typed)
  return theirs !== undefined && account?.password_hash == null
}
