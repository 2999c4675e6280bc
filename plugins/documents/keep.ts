import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { forgetFiles, keepNewFiles } from '../../src/files/kept.ts'
import { previewKeys } from '../../src/files/previews.ts'
import { fileKey, type ReceivedFile } from '../../src/files/receive.ts'
import { query } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import type { Host } from '../../src/plugin/plugin.ts'

/** Where documents are added, by whom, and who at the client may see them. */
export interface Adding {
  workspace: { id: string; slug: string }
  client: string
  folder: string | null
  by: { kind: 'client' | 'staff'; id: string; name: string }
  /** Null is everybody at the client. */
  roles?: string[] | null
  /** A plain date. */
  expiresOn?: string | null
}

/** Makes a document of each file, in a transaction that has entered the workspace. Returns their ids. */
export async function addDocuments(
  tx: Knex,
  host: Host,
  it: Adding,
  files: ReceivedFile[],
  most: number,
): Promise<string[]> {
  await keepNewFiles(tx, host, it, files, most)
  const ids: string[] = []
  for (const file of files) {
    const id = uuid()
    ids.push(id)
    await query(tx, {
      name: 'portal.add-document',
      text: `insert into portal.client_documents (workspace_id, id, client_id, folder_id, name, file_id, size, roles, expires_on,
               by_kind, by_id, by_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      values: [
        ...[it.workspace.id, id, it.client, it.folder, file.name, file.id, file.size],
        ...[it.roles ?? null, it.expiresOn ?? null, it.by.kind, it.by.id, it.by.name],
      ],
    })
    await addVersion(tx, it, { document: id, version: 1, file })
  }
  return ids
}

/** Makes a file the newest version of a document. Returns undefined where there is no such document. */
export async function replaceDocument(
  tx: Knex,
  host: Host,
  it: Adding & { document: string },
  file: ReceivedFile,
  most: number,
): Promise<{ name: string; version: number } | undefined> {
  await keepNewFiles(tx, host, it, [file], most)
  const [row] = await query<{ name: string; version: number }>(tx, {
    text: `update portal.client_documents set version = version + 1, file_id = $4, size = $5, changed_at = portal.now(),
             by_kind = $6, by_id = $7, by_name = $8
           where workspace_id = $1 and client_id = $2 and id = $3 returning name, version`,
    values: [it.workspace.id, it.client, it.document, file.id, file.size, it.by.kind, it.by.id, it.by.name],
  })
  if (row) await addVersion(tx, it, { document: it.document, version: row.version, file })
  return row
}

const addVersion = (
  tx: Knex,
  { workspace, client, by }: Adding,
  { document, version, file }: { document: string; version: number; file: ReceivedFile },
) =>
  query(tx, {
    name: 'portal.add-document-version',
    text: `insert into portal.client_document_versions (workspace_id, document_id, version, client_id, file_id, by_kind, by_id, by_name)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [workspace.id, document, version, client, file.id, by.kind, by.id, by.name],
  })

export interface Removed {
  name: string
  client: string
  files: string[]
}

/**
 * Removes a document with all its versions, in a transaction that has entered the workspace. `sender` limits it to what
 * this person sent within a day. Returns undefined where there is no such document.
 */
export async function removeDocument(
  tx: Knex,
  workspace: string,
  id: string,
  sender?: string,
): Promise<Removed | undefined> {
  const [row] = await query<Removed>(tx, {
    text: `select d.name, d.client_id as client, (
             select array_agg(v.file_id::text) from portal.client_document_versions v
             where v.workspace_id = d.workspace_id and v.document_id = d.id) as files
           from portal.client_documents d
           where d.workspace_id = $1 and d.id = $2 and ($3::text is null or d.by_kind = 'client' and d.by_id = $3
             and d.version = 1 and d.at > portal.now() - interval '1 day') for update`,
    values: [workspace, id, sender ?? null],
  })
  if (!row) return undefined
  await query(tx, {
    text: 'delete from portal.client_documents where workspace_id = $1 and id = $2',
    values: [workspace, id],
  })
  await forgetFiles(tx, workspace, row.files)
  return row
}

/** Removes the bytes of what was removed, after its transaction. What is left behind by a crash is found by the sweep. */
export async function removeBytes(files: FileStore, workspace: string, { files: ids }: Removed): Promise<void> {
  for (const id of ids) {
    const key = fileKey(workspace, id)
    for (const it of [key, ...previewKeys(key)]) await files.remove(it).catch(() => undefined)
  }
}

/** Records that a person has opened the newest version, so that it counts as new no more. */
export const markRead = (
  tx: Knex,
  workspace: string,
  client: string,
  person: string,
  document: string,
  version: number,
) =>
  query(tx, {
    name: 'portal.read-document',
    text: `insert into portal.client_document_reads as r (workspace_id, person_id, document_id, client_id, version)
           values ($1, $2, $3, $4, $5)
           on conflict (workspace_id, person_id, document_id) do update set version = excluded.version, at = portal.now()
             where r.version < excluded.version`,
    values: [workspace, person, document, client, version],
  })
