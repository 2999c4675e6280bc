import type { Knex } from 'knex'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { readWithin } from '../../src/platform/database.ts'

/** A document as staff have it in lists. */
export interface ListedDocument {
  id: string
  name: string
  type: string
  size: number
  version: number
  client: string
  folder: string | null
  folderId: string | null
  at: Date
  by: 'client' | 'staff'
  byName: string
  roles: string[] | null
  expiresOn: string | null
  state: 'checking' | 'ready' | 'infected'
  threat: string | null
  scan: 'none' | 'clean' | 'too-large'
}

const columns = `d.id, d.name, k.type, d.size::float8 as size, d.version, d.client_id as client, f.name as folder, d.folder_id as "folderId",
  d.changed_at as at, d.by_kind as by, d.by_name as "byName", d.roles, d.expires_on::text as "expiresOn", k.state, k.threat, k.scan`

const tables = `portal.client_documents d
  left join portal.client_document_folders f on f.workspace_id = d.workspace_id and f.id = d.folder_id
  join portal.client_files k on k.workspace_id = d.workspace_id and k.id = d.file_id`

/** What clients sent last, the newest first. */
export const receivedLately = (database: Knex, workspace: string) =>
  readWithin<ListedDocument>(
    database,
    { workspace },
    {
      name: 'portal.documents-received',
      text: `select ${columns} from ${tables} where d.workspace_id = scope.workspace and d.by_kind = 'client'
             order by d.changed_at desc, d.id desc limit 20`,
    },
  )

export interface Folder {
  id: string
  name: string
  roles: string[] | null
}

export const foldersOf = (database: Knex, workspace: string, client: string) =>
  readWithin<Folder>(
    database,
    { workspace, client },
    {
      name: 'portal.documents-folders',
      text: `select f.id, f.name, f.roles from portal.client_document_folders f
             where f.workspace_id = scope.workspace and f.client_id = scope.client order by lower(f.name) limit 500`,
    },
  )

/** Documents on a page. */
const size = 50

/** All documents of a client, the newest first; `after` is the id of the last one of the page before. */
export async function documentsOf(
  database: Knex,
  { workspace, client, after, folder }: { workspace: string; client: string; after?: string; folder?: string },
) {
  const rows = await readWithin<ListedDocument>(
    database,
    { workspace, client },
    {
      name: 'portal.documents-of-client',
      text: `select ${columns} from ${tables}
             where d.workspace_id = scope.workspace and d.client_id = scope.client
               and ($3::uuid is null or d.folder_id = $3) and ($4::uuid is null or (d.changed_at, d.id) < (
                 select it.changed_at, it.id from portal.client_documents it
                 where it.workspace_id = scope.workspace and it.client_id = scope.client and it.id = $4))
             order by d.changed_at desc, d.id desc limit ${size + 1}`,
      values: [folder ?? null, after ?? null],
    },
  )
  return { items: rows.slice(0, size), next: rows.length > size ? rows[size - 1]!.id : null }
}

interface Version {
  version: number
  file: string
  type: string
  size: number
  state: ListedDocument['state']
  scan: ListedDocument['scan']
  threat: string | null
  /** SHA-256, in hexadecimal digits. */
  tag: string
  at: string
  byName: string
}

export interface StaffDocument extends ListedDocument {
  versions: Version[]
  /** Who at the client opened or downloaded it, the latest first. */
  opened: { name: string; at: string; event: string }[]
}

/** Throws NotFound. */
export async function findForStaff(database: Knex, workspace: string, id: string): Promise<StaffDocument> {
  const [found] = await readWithin<StaffDocument>(
    database,
    { workspace },
    {
      name: 'portal.document-of-staff',
      text: `select ${columns}, (
               select jsonb_agg(jsonb_build_object('version', v.version, 'file', o.id, 'type', o.type, 'size', o.size,
                 'state', o.state, 'scan', o.scan, 'threat', o.threat, 'tag', encode(o.sha256, 'hex'), 'at', v.at,
                 'byName', v.by_name) order by v.version desc)
               from portal.client_document_versions v
                 join portal.client_files o on o.workspace_id = v.workspace_id and o.id = v.file_id
               where v.workspace_id = d.workspace_id and v.document_id = d.id) as versions, (
               select coalesce(jsonb_agg(jsonb_build_object('name', l.actor_name, 'at', l.at, 'event', l.event)
                 order by l.at desc), '[]')
               from (
                 select distinct on (l.actor_id, l.event) l.actor_name, l.at, l.event from portal.client_activity_logs l
                 where l.workspace_id = d.workspace_id and l.client_id = d.client_id and l.subject_id = d.id::text
                   and l.event in ('documents.viewed', 'documents.downloaded') and l.actor_kind = 'client'
                 order by l.actor_id, l.event, l.id desc limit 200) l) as opened
             from ${tables} where d.workspace_id = scope.workspace and d.id = $3`,
      values: [z.uuid().safeParse(id).data ?? null],
    },
  )
  if (!found) throw new NotFound()
  return found
}
