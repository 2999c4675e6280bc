import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { fileKey } from '../../src/files/receive.ts'
import { BeingChecked, inStore } from '../../src/files/send.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import type { Counts, Document, DocumentContent, DocumentFilter, Documents, Overview, Summary } from './port.ts'

/** The port over Portico's own tables, bound to one customer. */
export function storeOf(customer: Customer, database: Knex, files: FileStore): Documents {
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const reader = [customer.role, customer.person.id, customer.today]
  const read = <Row>(name: string, text: string, values: unknown[]) =>
    readWithin<Row>(database, scope, { name: `portal.documents-${name}`, text, values: [...reader, ...values] })

  return {
    list: filter => list(filter, read),
    overview: () => overview(read),
    counts: async search => (await read<Counts>('found', countsSql, [likeOf(search)]))[0]!,
    find: id => find(id, read),
    content: (id, version) => content(id, version, { read, files, workspace: customer.workspace.id }),
  }
}

/** Runs a query that has the reader's role, id and date as `$3` to `$5`, and its own values from `$6` on. */
type Read = <Row>(name: string, text: string, values: unknown[]) => Promise<Row[]>

/** What this reader may see: not what is for other roles only, nor what has expired. */
const visible = `d.workspace_id = scope.workspace and d.client_id = scope.client
  and (d.roles is null or $3 = any (d.roles)) and (f.roles is null or $3 = any (f.roles))
  and (d.expires_on is null or d.expires_on >= $5::date)`

const isNew = `(d.by_kind = 'staff' and d.changed_at > portal.now() - interval '30 days' and not exists (
  select from portal.client_document_reads r
  where r.workspace_id = d.workspace_id and r.person_id::text = $4 and r.document_id = d.id and r.version >= d.version))`

const isExpiring = `(d.expires_on is not null and d.expires_on <= $5::date + 30)`

const tables = `portal.client_documents d
  left join portal.client_document_folders f on f.workspace_id = d.workspace_id and f.id = d.folder_id`

const columns = `d.id, d.name, d.version, d.folder_id, f.name as folder, k.type, d.size::float8 as size, d.by_kind, d.by_name,
  d.by_kind = 'client' and d.by_id = $4 as own, to_char(d.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  d.expires_on::text, k.state, k.threat, ${isNew} as is_new`

const likeOf = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`

const matches = (like: string) =>
  `(${like} = '%%' or d.name ilike ${like} or f.name ilike ${like} or d.by_name ilike ${like})`

const conditions = { new: isNew, sent: `d.by_kind = 'client'`, expiring: isExpiring }

/** Of each order, the columns that it sorts by, with their types; the last one is unique. */
const orders = {
  newest: { by: 'd.changed_at', type: 'timestamptz', direction: 'desc', key: (it: Summary) => it.at },
  name: { by: 'lower(d.name)', type: 'text', direction: 'asc', key: (it: Summary) => it.name },
  largest: { by: 'd.size', type: 'bigint', direction: 'desc', key: (it: Summary) => String(it.size) },
} as const

const Key = z.tuple([z.string().max(300), z.uuid()])

async function list(filter: DocumentFilter, read: Read): Promise<Page<Summary>> {
  const { status, search, sort, after, size, folder } = filter
  if (folder !== undefined && !uuidOf(folder)) return { items: [], next: null }
  const { by, type, direction, key } = orders[sort]
  const from = keyOf(after, Key)
  const past = type === 'text' ? 'lower($8)' : `$8::${type}`
  const sign = direction === 'asc' ? '>' : '<'
  const rows = await read<Row>(
    `list-${sort}-${status ?? 'all'}`,
    `select ${columns} from ${tables}
       join portal.client_files k on k.workspace_id = d.workspace_id and k.id = d.file_id
     where ${visible} and ($6::uuid is null or d.folder_id = $6) and ${matches('$7')}
       ${status ? `and ${conditions[status]}` : ''}
       and ($9::uuid is null or (${by}, d.id) ${sign} (${past}, $9::uuid))
     order by ${by} ${direction}, d.id ${direction} limit $10`,
    [folder ?? null, likeOf(search), ...keyValues(from, type), size + 1],
  ).catch(unreadableKey)
  return page(rows.map(summaryOf), size, it => [key(it), it.id])
}

const keyValues = (from: z.infer<typeof Key> | undefined, type: string) =>
  from && fits(from[0], type) ? from : [null, null]

/** A token that was made for another order gives the first page. */
const fits = (value: string, type: string) =>
  type === 'text' || (type === 'bigint' ? /^\d{1,18}$/ : /^\d{4}-\d\d-\d\dT[\d:.]+Z$/).test(value)

/** 22P02, 22007 and 22008: what is in a token is no value of its type. */
const unreadableKey = (error: { code?: string }): never[] => {
  if (/^(22P02|2200[78])$/.test(error.code ?? '')) return []
  throw error
}

interface Row {
  id: string
  name: string
  version: number
  folder_id: string | null
  folder: string | null
  type: string
  size: number
  by_kind: 'client' | 'staff'
  by_name: string
  own: boolean
  at: string
  expires_on: string | null
  state: Summary['state']
  threat: string | null
  is_new: boolean
}

const summaryOf = ({ folder_id, folder, by_kind, by_name, expires_on, is_new, ...row }: Row): Summary => ({
  ...row,
  folder: folder_id === null ? null : { id: folder_id, name: folder ?? '' },
  by: { kind: by_kind, name: by_name },
  expiresOn: expires_on,
  isNew: is_new,
})

/** Each part counts to 1,001 at most, whatever the client has. */
const countsSql = `select ${['true', ...Object.values(conditions)]
  .map(
    (condition, at) => `(select count(*)::int from (
       select from ${tables} where ${visible} and ${matches('$6')} and ${condition} limit 1001) it)
     as ${['all', 'new', 'sent', 'expiring'].map(it => `"${it}"`)[at]}`,
  )
  .join(', ')}`

const foldersSql = `select f.id, f.name, f.roles is not null as restricted, (
    select count(*)::int from (
      select from portal.client_documents d
      where d.workspace_id = f.workspace_id and d.client_id = f.client_id and d.folder_id = f.id
        and (d.roles is null or $3 = any (d.roles)) and (d.expires_on is null or d.expires_on >= $5::date)
        limit 101) it) as files
  from portal.client_document_folders f
  where f.workspace_id = scope.workspace and f.client_id = scope.client and (f.roles is null or $3 = any (f.roles))
  order by lower(f.name) limit 200`

/** In one round trip. */
async function overview(read: Read): Promise<Overview> {
  const [row] = await read<{ counts: Counts; folders: Overview['folders'] }>(
    'overview',
    `select (select to_jsonb(c) from (${countsSql}) c) as counts,
       (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (${foldersSql}) f) as folders`,
    ['%%'],
  )
  return row!
}

async function find(id: string, read: Read): Promise<Document> {
  const [row] = await read<Row & Pick<Document, 'versions' | 'sha256' | 'scanned' | 'removable'>>(
    'find',
    `select ${columns}, encode(k.sha256, 'hex') as sha256, k.scan = 'clean' as scanned,
       d.by_kind = 'client' and d.by_id = $4 and d.version = 1 and d.at > portal.now() - interval '1 day' as removable,
       (select jsonb_agg(jsonb_build_object('version', v.version, 'type', o.type, 'size', o.size, 'state', o.state,
          'at', to_char(v.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'by', jsonb_build_object('kind', v.by_kind, 'name', v.by_name)) order by v.version desc)
        from portal.client_document_versions v
          join portal.client_files o on o.workspace_id = v.workspace_id and o.id = v.file_id
        where v.workspace_id = d.workspace_id and v.document_id = d.id) as versions
     from ${tables} join portal.client_files k on k.workspace_id = d.workspace_id and k.id = d.file_id
     where ${visible} and d.id = $6`,
    [uuidOf(id)],
  )
  if (!row) throw new NotFound()
  return summaryOf(row) as Document
}

async function content(
  id: string,
  version: number | undefined,
  { read, files, workspace }: { read: Read; files: FileStore; workspace: string },
): Promise<DocumentContent> {
  const [row] = await read<{ name: string; file: string; type: string; size: number; state: string; tag: string }>(
    'content',
    `select d.name, k.id as file, k.type, k.size::float8 as size, k.state, encode(k.sha256, 'hex') as tag
     from ${tables}
       join portal.client_document_versions v on v.workspace_id = d.workspace_id and v.document_id = d.id
       join portal.client_files k on k.workspace_id = v.workspace_id and k.id = v.file_id
     where ${visible} and $4 <> '' and d.id = $6 and v.version = coalesce($7, d.version)`,
    [uuidOf(id), version ?? null],
  )
  if (!row || row.state === 'infected') throw new NotFound()
  if (row.state === 'checking') throw new BeingChecked()
  const { name, type, size, tag } = row
  const key = fileKey(workspace, row.file)
  return { name, type, size, tag, key, ...inStore(files, key) }
}

const uuidOf = (id: string) => z.uuid().safeParse(id).data ?? null
