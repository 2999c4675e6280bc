import type { Knex } from 'knex'
import { coreHostOf } from '../auth/host.ts'
import { Conflict } from '../http/errors.ts'
import { query } from '../platform/database.ts'
import type { Host } from '../plugin/plugin.ts'
import type { ReceivedFile } from './receive.ts'

/** Whether a file can be downloaded: after the virus scanner has looked at it, where there is one. */
type FileState = 'checking' | 'ready' | 'infected'

interface Uploader {
  kind: 'client' | 'staff'
  id: string
  name: string
}

/** Another request has kept the same upload meanwhile. */
export class AlreadyKept extends Error {}

/** 409: several uploads at once have used up the space of a client. */
export class NoSpaceLeft extends Conflict {
  message = 'There isn’t enough space left for these files.'
  advice = 'Nothing was saved. Ask us for more space, or send fewer files.'
}

/** Whose files they are. */
export interface Keeping {
  workspace: { id: string; slug: string }
  client: string
  by: Uploader
}

/**
 * Keeps files that arrived, in a transaction that has entered the workspace: within the space of the client, `most` bytes,
 * and to be scanned where there is a scanner. Wake the jobs afterwards. Throws NoSpaceLeft.
 */
export async function keepNewFiles(
  tx: Knex,
  host: Host,
  it: Keeping,
  files: ReceivedFile[],
  most: number,
): Promise<void> {
  const { scanner } = coreHostOf(host)
  const { workspace, client, by } = it
  const ids = files.map(one => one.id)
  const used = await lockUsage(tx, workspace.id, client, ids)
  if (used + files.reduce((sum, { size }) => sum + size, 0) > most) throw new NoSpaceLeft()
  await keepFiles(tx, { workspace: workspace.id, client, by, state: scanner ? 'checking' : 'ready' }, files)
  if (!scanner) return
  for (const file of ids) await host.jobs.queue(tx, { job: 'files.scan', workspace, data: { file, client } })
}

/**
 * Stores the rows of files that arrived, in a transaction that has entered the workspace. Throws AlreadyKept for an upload
 * that is kept.
 */
async function keepFiles(
  tx: Knex,
  of: { workspace: string; client: string; by: Uploader; state: FileState },
  files: ReceivedFile[],
): Promise<void> {
  const { workspace, client, by, state } = of
  for (const { id, name, type, size, sha256 } of files) {
    const rows = await query(tx, {
      name: 'portal.keep-file',
      text: `insert into portal.client_files as f (workspace_id, client_id, state, by_kind, by_id, by_name, id, name, type, size, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (workspace_id, id) do update set state = excluded.state, type = excluded.type, size = excluded.size,
               sha256 = excluded.sha256, at = portal.now()
               where f.state = 'arriving' and f.client_id = excluded.client_id
             returning id`,
      values: [workspace, client, state, by.kind, by.id, by.name, id, name, type, size, sha256],
    })
    if (!rows.length) throw new AlreadyKept()
  }
}

/** Reserves the space of an upload that begins. */
export const reserveFile = (
  tx: Knex,
  { workspace, client, by }: { workspace: string; client: string; by: Uploader },
  { id, name, size }: Pick<ReceivedFile, 'id' | 'name' | 'size'>,
) =>
  query(tx, {
    text: `insert into portal.client_files (workspace_id, client_id, state, by_kind, by_id, by_name, id, name, size)
           values ($1, $2, 'arriving', $3, $4, $5, $6, $7, $8)`,
    values: [workspace, client, by.kind, by.id, by.name, id, name, size],
  })

/** Gives the space of an upload back that does not go on. */
export const releaseFile = (tx: Knex, workspace: string, id: string) =>
  query(tx, {
    text: `delete from portal.client_files where workspace_id = $1 and id = $2 and state = 'arriving'`,
    values: [workspace, id],
  })

/** The same for all that began before a time. */
export const releaseAbandoned = (tx: Knex, workspace: string, seconds: number) =>
  query(tx, {
    text: `delete from portal.client_files
           where workspace_id = $1 and state = 'arriving' and at < portal.now() - $2 * interval '1 second'`,
    values: [workspace, seconds],
  })

/**
 * How many bytes the files of a client take, those of uploads that have begun too, besides some; until the end of the
 * transaction: uploads of one client wait for each other.
 */
export async function lockUsage(tx: Knex, workspace: string, client: string, besides: string[] = []): Promise<number> {
  await query(tx, {
    text: `select pg_advisory_xact_lock(hashtextextended('portal.files ' || $1 || ' ' || $2, 0))`,
    values: [workspace, client],
  })
  return usageOf(tx, workspace, client, besides)
}

/** How many bytes the files of a client take. */
export async function usageOf(tx: Knex, workspace: string, client: string, besides: string[] = []): Promise<number> {
  const [row] = await query<{ bytes: string }>(tx, {
    text: `select (coalesce(sum(size), 0) - coalesce((
               select sum(size) from portal.client_files
               where workspace_id = $1 and client_id = $2 and state <> 'infected' and id = any ($3::uuid[])), 0))::text as bytes
           from portal.client_files where workspace_id = $1 and client_id = $2 and state <> 'infected'`,
    values: [workspace, client, besides],
  })
  return Number(row?.bytes)
}

/** Removes rows of files, in a transaction that has entered the workspace. The bytes go when it is committed. */
export const forgetFiles = (tx: Knex, workspace: string, ids: string[]) =>
  query(tx, {
    text: 'delete from portal.client_files where workspace_id = $1 and id = any ($2::uuid[])',
    values: [workspace, ids],
  })

/** The size of a file that this person has sent, and that is kept; undefined where there is none of this id. */
export async function sizeOfKept(
  tx: Knex,
  { workspace, client, by, id }: { workspace: string; client: string; by: string; id: string },
): Promise<number | undefined> {
  const [row] = await query<{ size: string }>(tx, {
    text: `select size from portal.client_files
           where workspace_id = $1 and client_id = $2 and by_kind = 'client' and by_id = $3 and id::text = $4
             and state <> 'arriving'`,
    values: [workspace, client, by, id],
  })
  return row && Number(row.size)
}
