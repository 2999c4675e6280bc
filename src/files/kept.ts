import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import type { ReceivedFile } from './receive.ts'

/** Whether a file can be downloaded: after the virus scanner has looked at it, where there is one. */
export type FileState = 'checking' | 'ready' | 'infected'

interface Uploader {
  kind: 'client' | 'staff'
  id: string
  name: string
}

/** Stores the rows of files that arrived, in a transaction that has entered the workspace. */
export async function keepFiles(
  tx: Knex,
  of: { workspace: string; client: string; by: Uploader; state: FileState },
  files: ReceivedFile[],
): Promise<void> {
  const { workspace, client, by, state } = of
  for (const { id, name, type, size, sha256 } of files)
    await query(tx, {
      name: 'portal.keep-file',
      text: `insert into portal.client_files (workspace_id, client_id, state, by_kind, by_id, by_name, id, name, type, size, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      values: [workspace, client, state, by.kind, by.id, by.name, id, name, type, size, sha256],
    })
}

/** How many bytes the files of a client take, until the end of the transaction: uploads of one client wait for each other. */
export async function lockUsage(tx: Knex, workspace: string, client: string): Promise<number> {
  await query(tx, {
    text: `select pg_advisory_xact_lock(hashtextextended('portal.files ' || $1 || ' ' || $2, 0))`,
    values: [workspace, client],
  })
  return usageOf(tx, workspace, client)
}

/** How many bytes the files of a client take. */
export async function usageOf(tx: Knex, workspace: string, client: string): Promise<number> {
  const [row] = await query<{ bytes: string }>(tx, {
    text: `select coalesce(sum(size), 0)::text as bytes from portal.client_files
           where workspace_id = $1 and client_id = $2 and state <> 'infected'`,
    values: [workspace, client],
  })
  return Number(row?.bytes)
}

/** Removes rows of files, in a transaction that has entered the workspace. The bytes go when it is committed. */
export const forgetFiles = (tx: Knex, workspace: string, ids: string[]) =>
  query(tx, {
    text: 'delete from portal.client_files where workspace_id = $1 and id = any ($2::uuid[])',
    values: [workspace, ids],
  })

/** The size of a file that this person has sent; undefined where there is none of this id. */
export async function sizeOfKept(
  tx: Knex,
  { workspace, client, by, id }: { workspace: string; client: string; by: string; id: string },
): Promise<number | undefined> {
  const [row] = await query<{ size: string }>(tx, {
    text: `select size from portal.client_files
           where workspace_id = $1 and client_id = $2 and by_kind = 'client' and by_id = $3 and id::text = $4`,
    values: [workspace, client, by, id],
  })
  return row && Number(row.size)
}
