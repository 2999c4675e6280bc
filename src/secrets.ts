import type { Knex } from 'knex'
import { keyedHash, unseal } from './crypto.ts'
import { notMigrated, query, within } from './database.ts'

/** The id of a secret: tells it from others, and nothing of it. */
export const secretId = (secret: string): string => keyedHash('', secret, 'secret id')

/**
 * Whether the secrets of this instance open what the portal has sealed. An instance whose list begins with a newer secret,
 * and has the one in use behind it, makes the newer one the one in use. Where nothing is known yet, the first instance
 * whose secrets open what is there decides.
 */
export async function secretsFit(database: Knex, secrets: string[]): Promise<boolean> {
  const [row] = await useSecret(database, secrets, false)
  if (!row || row.fits) return true
  const [again] = await useSecret(database, secrets, await opensSigningKeys(database, secrets))
  return again?.fits ?? true
}

const useSecret = (database: Knex, secrets: string[], mayBegin: boolean) =>
  query<{ fits: boolean }>(database, {
    text: 'select portal.use_secret($1, $2) as fits',
    values: [secrets.map(secretId), mayBegin],
  }).catch(notMigrated)

/** How many workspaces are looked at. */
const enough = 20

/** Whether there are no signing keys yet, or one of them is opened by these secrets. */
async function opensSigningKeys(database: Knex, secrets: string[]): Promise<boolean> {
  const workspaces = await query<{ id: string }>(database, { text: 'select portal.workspace_ids() as id' })
  let found = false
  for (const { id: workspace } of workspaces.slice(0, enough)) {
    const rows = await within(database, { workspace }, tx =>
      query<{ sealed: Buffer }>(tx, {
        text: 'select sealed from portal.client_keys where workspace_id = $1',
        values: [workspace],
      }),
    )
    if (rows.some(it => unseal(it.sealed, secrets, 'signing key') !== undefined)) return true
    found ||= rows.length > 0
  }
  return !found
}

/** As the owner: from now on this secret is the one in use, whatever was sealed with one that is lost. */
export const replaceLostSecret = (owner: Knex, secret: string) =>
  query(owner, {
    text: `insert into portal.secret_in_use (id) values ($1)
           on conflict (only_one) do update set id = excluded.id, since = portal.now()`,
    values: [secretId(secret)],
  })
