import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { fileKey } from '../../src/files/receive.ts'
import { BeingChecked, inStore } from '../../src/files/send.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import { addFiles, dismiss, removeFile, undismiss, uuidOf } from './items.ts'
import type { Counts, FileContent, Item, RequestedList, RequestFilter, Requests, Summary } from './port.ts'

/** The port over Portico's own tables, bound to one customer. */
export function storeOf(customer: Customer, database: Knex, files: FileStore): Requests {
  const { workspace, client, person, today } = customer
  const scope = { workspace: workspace.id, client: client.id }
  const read: Read = (name, text, values) =>
    readWithin(database, scope, { name: `portal.requests-${name}`, text, values: [person.id, today, ...values] })
  const place = { database, ...scope, by: { kind: 'client', id: person.id, name: person.name } } as const

  return {
    list: filter => list(filter, read),
    counts: async search => (await read<Counts>('counts', countsSql, [likeOf(search)]))[0]!,
    find: id => find(id, read),
    content: async (id, file) =>
      contentOf(await row(read, 'content', fileSql, [uuidOf(id), uuidOf(file)]), files, scope),
    example: async (id, item) => {
      const found = await row<{ example: string }>(read, 'example', exampleSql, [uuidOf(id), uuidOf(item)])
      return exampleOf(database, files, workspace.id, found.example)
    },
    addFiles: (id, item, arrived) => addFiles(place, { request: id, item }, arrived),
    removeFile: (id, item, file) => removeFile(place, { request: id, item }, file),
    dismiss: (id, item, reason) => dismiss(place, { request: id, item }, reason),
    undismiss: (id, item) => undismiss(place, { request: id, item }),
  }
}

/** Runs a query that has the reader's id and date as `$3` and `$4`, and its own values from `$5` on. */
type Read = <Row>(name: string, text: string, values: unknown[]) => Promise<Row[]>

async function row<Row>(read: Read, name: string, text: string, values: unknown[]): Promise<Row> {
  const [found] = await read<Row>(name, text, values)
  if (!found) throw new NotFound()
  return found
}

/** What is asked of everybody at the client, or of this reader. */
const visible = `r.workspace_id = scope.workspace and r.client_id = scope.client
  and (r.person_id is null or r.person_id::text = $3)`

const isOverdue = `(not r.finished and coalesce(r.due_on < $4::date, false))`

const conditions = { open: 'not r.finished', overdue: isOverdue, done: 'r.finished' }

const instant = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const columns = `r.id, r.name, r.due_on::text as "dueOn", ${isOverdue} as overdue, r.state, r.items, r.done, r.returned,
  r.person_id is not null as personal, r.by_name as by, ${instant('r.at')} as at`

const likeOf = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`

/** Of each order, what it sorts by, ending with what is unique, and the key of a row in it. */
const orders = {
  due: {
    by: '(r.finished, r.due_key, r.id)',
    types: ['boolean', 'date', 'uuid'],
    direction: 'asc',
    key: `r.finished, r.due_key`,
  },
  newest: { by: '(r.at, r.id)', types: ['timestamptz', 'uuid'], direction: 'desc', key: `${instant('r.at')}` },
} as const

const Keys = {
  due: z.tuple([z.boolean(), z.string().regex(/^(infinity|\d{4}-\d\d-\d\d)$/), z.uuid()]),
  newest: z.tuple([z.iso.datetime(), z.uuid()]),
}

async function list({ status, search, sort, after, size }: RequestFilter, read: Read): Promise<Page<Summary>> {
  const { by, types, direction, key } = orders[sort]
  const from: unknown[] = keyOf<unknown[]>(after, Keys[sort]) ?? types.map(() => null)
  const past = types.map((type, at) => `$${6 + at}::${type}`).join(', ')
  const rows = await read<Summary & { key: unknown[] }>(
    `list-${sort}-${status ?? 'all'}`,
    `select ${columns}, jsonb_build_array(${key}, r.id) as key from portal.client_requests r
     where ${visible} and ($5 = '%%' or r.name ilike $5) ${status ? `and ${conditions[status]}` : ''}
       and ($6::text is null or ${by} ${direction === 'asc' ? '>' : '<'} (${past}))
     order by ${by.slice(1, -1).replaceAll(',', ` ${direction},`)} ${direction} limit $${6 + types.length}`,
    [likeOf(search), ...from, size + 1],
  )
  const { items, next } = page(rows, size, it => it.key)
  return { items: items.map(({ key: _, ...it }) => it), next }
}

/** Each part counts to 1,001 at most. */
const countsSql = `select ${Object.entries({ all: 'true', ...conditions })
  .map(
    ([name, condition]) => `(select count(*)::int from (
       select from portal.client_requests r
       where ${visible} and ${condition} and $4::date is not null and ($5 = '%%' or r.name ilike $5) limit 1001) it) as "${name}"`,
  )
  .join(', ')}`

/** The files of the item `i`, those that are still on their way too. */
const filesSql = `(select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'type', coalesce(k.type, ''), 'size', k.size,
    'state', k.state, 'threat', k.threat, 'at', ${instant('k.at')}, 'by', k.by_name, 'own', k.by_id = $3,
    'removable', k.by_id = $3 and k.at > portal.now() - interval '1 day' and k.state <> 'arriving'
      and i.accepted_at is null and i.state <> 'withdrawn' and r.state = 'open') order by k.at, k.id), '[]')
  from portal.client_request_files f join portal.client_files k on k.workspace_id = f.workspace_id and k.id = f.file_id
  where f.workspace_id = i.workspace_id and f.request_id = i.request_id and f.item_id = i.id)`

const itemsSql = `(select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'hint', i.hint, 'wanted', i.wanted,
    'state', i.state, 'reason', i.reason, 'by', i.by_name, 'at', ${instant('i.changed_at')}, 'accepted', i.accepted_at is not null,
    'example', i.example - 'id', 'files', ${filesSql}) order by i.position, i.id), '[]')
  from portal.client_request_items i where i.workspace_id = r.workspace_id and i.request_id = r.id)`

async function find(id: string, read: Read): Promise<RequestedList> {
  return row<RequestedList>(
    read,
    'find',
    `select ${columns}, r.about, ${itemsSql} as list from portal.client_requests r where ${visible} and r.id = $5`,
    [uuidOf(id)],
  )
}

const fileSql = `select k.name, k.id as file, k.type, k.size::float8 as size, k.state, encode(k.sha256, 'hex') as tag
  from portal.client_requests r
    join portal.client_request_files f on f.workspace_id = r.workspace_id and f.request_id = r.id
    join portal.client_files k on k.workspace_id = f.workspace_id and k.id = f.file_id
  where ${visible} and $4::date is not null and r.id = $5 and k.id = $6`

const exampleSql = `select i.example->>'id' as example from portal.client_requests r
    join portal.client_request_items i on i.workspace_id = r.workspace_id and i.request_id = r.id
  where ${visible} and $4::date is not null and r.id = $5 and i.id = $6 and i.example is not null`

interface StoredFile {
  name: string
  file: string
  type: string
  size: number
  state: Item['files'][number]['state']
  tag: string
}

/** Throws NotFound for one that cannot be had, and BeingChecked for one that is not ready yet. */
function contentOf(
  { name, file, type, size, state, tag }: StoredFile,
  files: FileStore,
  { workspace }: { workspace: string },
): FileContent {
  if (state === 'checking') throw new BeingChecked()
  if (state !== 'ready') throw new NotFound()
  const key = fileKey(workspace, file)
  return { name, type, size, version: tag, key, ...inStore(files, key) }
}

/** Examples belong to no client: what leads to one must be checked before. */
export async function exampleOf(database: Knex, files: FileStore, workspace: string, id: string): Promise<FileContent> {
  const [found] = await readWithin<StoredFile>(
    database,
    { workspace },
    {
      name: 'portal.requests-example-content',
      text: `select k.name, k.id as file, k.type, k.size::float8 as size, k.state, encode(k.sha256, 'hex') as tag
             from portal.client_files k where k.workspace_id = scope.workspace and k.client_id = '' and k.id = $3`,
      values: [id],
    },
  )
  if (!found) throw new NotFound()
  return contentOf(found, files, { workspace })
}
