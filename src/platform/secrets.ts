import type { Knex } from 'knex'
import { keyedHash, unsealOrUndefined } from './crypto.ts'
import { notMigrated, query, within } from './database.ts'
import { type SealedColumn, sealedColumns } from './sealed.ts'

/** The id of a secret: tells it from others, and nothing of it. */
export const secretId = (secret: string): string => keyedHash('', secret, 'secret id')

/**
 * Whether the secrets of this instance open what the portal has sealed. An instance whose list begins with a newer secret,
 * and has the one in use behind it, makes the newer one the one in use. Where nothing is known yet, the first instance
 * whose secrets open something that is sealed decides, or any where nothing is.
 */
export async function secretsFit(database: Knex, secrets: string[]): Promise<boolean> {
  const [row] = await useSecret(database, secrets, false)
  if (!row) return true
  if (row.fits !== null) return row.fits
  const [again] = await useSecret(database, secrets, await opensSomething(database, secrets))
  return again?.fits ?? false
}

const useSecret = (database: Knex, secrets: string[], mayBegin: boolean) =>
  query<{ fits: boolean | null }>(database, {
    text: 'select portal.use_secret($1, $2) as fits',
    values: [secrets.map(secretId), mayBegin],
  }).catch(notMigrated)

/** Whether these secrets open one of the sealed values, or there is none. */
async function opensSomething(database: Knex, secrets: string[]): Promise<boolean> {
  const workspaces = await query<{ id: string }>(database, { text: 'select portal.workspace_ids() as id' })
  let found = false
  for (const { id: workspace } of workspaces)
    for (const it of sealedColumns) {
      const values = await someSealed(database, workspace, it)
      if (values.some(({ sealed }) => unsealOrUndefined(sealed, secrets, it.use) !== undefined)) return true
      found ||= values.length > 0
    }
  return !found
}

const someSealed = (database: Knex, workspace: string, { table, column, which }: SealedColumn) =>
  within(database, { workspace }, tx =>
    query<{ sealed: Buffer }>(tx, {
      text: `select ${column} as sealed from portal.${table}
             where workspace_id = $1 and ${column} is not null and ${which} limit 20`,
      values: [workspace],
    }),
  )

/** The id of the secret in use; undefined if there is none yet. Needs the owner's role. */
export async function secretInUse(owner: Knex): Promise<string | undefined> {
  const [row] = await query<{ id: string }>(owner, {
    text: 'select id from portal.secret_in_use order by position desc limit 1',
  })
  return row?.id
}

/** As the owner: from now on this secret is the one in use, whatever was sealed with one that is lost. */
export const replaceLostSecret = (owner: Knex, secret: string) =>
  owner.transaction(async tx => {
    await query(tx, { text: 'delete from portal.secret_in_use' })
    await query(tx, { text: 'insert into portal.secret_in_use (id) values ($1)', values: [secretId(secret)] })
  })
