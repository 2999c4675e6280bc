import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Documents } from '../../plugins/documents/port.ts'
import { type Customer, keyOf, NotFound, openUnder, page, query } from '../../src/index.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'
import { containing, idOf } from './sql.ts'

type Summary = Awaited<ReturnType<Documents['list']>>['items'][number]

const storage = join(import.meta.dirname, '../crm/storage')

/** What staff have shared with the client. What belongs to a proposal, quotation or invoice has its place there. */
const mine = `
  select f.id, f.file_name, nullif(f.folder, '') as folder, f.mime, f.size_bytes, f.storage_key, f.created, s.full_name
  from public.documents f join public.clients c on c.id = f.client_id left join public.staff s on s.id = f.uploaded_by
  where c.workspace_id::text = $1 and f.client_id = $2 and f.shared
    and coalesce(f.about_type, '') not in ('invoice', 'proposal', 'quotation')`

const isNew = `d.created > $3::date - 30`

const columns = `d.id, d.file_name, d.folder, d.mime, d.size_bytes, d.storage_key, d.full_name, ${isNew} as is_new,
  to_char(d.created at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`

const found = `(d.file_name ilike $4 or d.folder ilike $4 or d.full_name ilike $4)`

/** Each with the type of what it sorts by. */
const orders = {
  newest: { by: 'd.created', type: 'timestamptz', down: true },
  name: { by: 'lower(d.file_name)', type: 'text', down: false },
  largest: { by: 'd.size_bytes', type: 'int', down: true },
}

const After = z.tuple([
  z
    .string()
    .max(300)
    .regex(/^[^\0]*$/),
  z.int32(),
])

function documents(db: Knex, { workspace, client, today }: Customer): Documents {
  const scope = [workspace.id, client.id, today]
  const findRow = async (id: string) => {
    const [row] = await query(db, {
      name: 'crm.document',
      text: `select ${columns} from (${mine}) d where d.id = $4`,
      values: [...scope, idOf(id)],
    })
    if (!row) throw new NotFound()
    return row
  }
  const count = async (search: string) => {
    const [row] = await query(db, {
      name: 'crm.documents.counts',
      text: `select count(*)::int as all, (count(*) filter (where ${isNew}))::int as new, 0 as sent, 0 as expiring
             from (select d.created from (${mine}) d where $4 = '%%' or ${found} limit 1001) d`,
      values: [...scope, containing(search)],
    })
    return row
  }
  return {
    async list({ status, search, folder = null, sort, after, size }) {
      if (status && status !== 'new') return { items: [], next: null }
      const { by, type, down } = orders[sort]
      const [key, id] = keyOf(
        after,
        After.refine(([it]) => isKey(it, type)),
      ) ?? [null, null]
      const rows = await query(db, {
        name: `crm.documents.${sort}.${status ?? 'all'}`,
        text: `select ${columns}, (${by})::text as key from (${mine}) d
               where ($4 = '%%' or ${found}) and ($5::text is null or d.folder = $5) ${status ? `and ${isNew}` : ''}
                 and ($6::text is null or (${by}, d.id) ${down ? '<' : '>'} ($6::${type}, $7::int))
               order by ${by} ${down ? 'desc' : 'asc'}, d.id ${down ? 'desc' : 'asc'} limit $8`,
        values: [...scope, containing(search), folder, key, id, size + 1],
      })
      const { items, next } = page(rows, size, row => [row.key, row.id])
      return { items: items.map(row => document(row, workspace.name)), next }
    },
    async overview() {
      const [counts, folders] = await Promise.all([
        count(''),
        query(db, {
          name: 'crm.documents.folders',
          text: `select folder as id, folder as name, least(count(*), 101)::int as files, false as restricted
                 from (select d.folder from (${mine}) d where d.folder is not null and $3::date is not null limit 10000) d
                 group by folder order by lower(folder) limit 200`,
          values: scope,
        }),
      ])
      return { counts, folders }
    },
    counts: count,
    async find(id) {
      const it = document(await findRow(id), workspace.name)
      const { version, type, size, at, by, state } = it
      return {
        ...it,
        ...{ sha256: null, scanned: null, removable: false },
        versions: [{ version, type, size, at, by, state }],
      }
    },
    async content(id, version = 1) {
      const row = await findRow(id)
      const file = version === 1 ? await openUnder(storage, row.storage_key) : undefined
      if (!file) throw new NotFound()
      const tag = createHash('sha256').update(`${row.id} ${row.at} ${file.size} ${file.changed}`).digest('hex')
      return { name: row.file_name, type: row.mime, size: file.size, tag, open: file.open }
    },
  }
}

/** Page tokens come from outside. */
const isKey = (key: string, type: string) =>
  type === 'text' ||
  (type === 'int' ? /^\d{1,9}$/.test(key) : /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?$/.test(key))

const document = (row: any, company: string): Summary => ({
  id: String(row.id),
  name: row.file_name,
  folder: row.folder === null ? null : { id: row.folder, name: row.folder },
  type: row.mime,
  size: row.size_bytes,
  version: 1,
  at: row.at,
  by: { kind: 'staff', name: row.full_name ?? company },
  own: false,
  isNew: row.is_new,
  expiresOn: null,
  state: 'ready',
  threat: null,
})

const part: AdapterPart = { reads: of('documents', 'clients', 'staff'), port: documents }
export default part
