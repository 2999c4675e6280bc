import { createHash } from 'node:crypto'
import type { Customer } from '../../src/crm/crm.ts'
import { findChangesBy } from '../../src/crm/mapping/changes.ts'
import { contentColumns, type OpenedFile, openContent } from '../../src/crm/mapping/file.ts'
import { containing, countsOf, listed } from '../../src/crm/mapping/listing.ts'
import type { CrmMap, DocumentsMap } from '../../src/crm/mapping/map.ts'
import { belongs, checked, customerValues } from '../../src/crm/mapping/owned.ts'
import {
  dateOf,
  expectType,
  hintIndex,
  instant,
  keyOfType,
  placeOf,
  type Reader,
  text,
} from '../../src/crm/mapping/reader.ts'
import { type Ask, mapped } from '../../src/crm/mapping/section.ts'
import { param } from '../../src/crm/mapping/sql.ts'
import { NotFound } from '../../src/http/errors.ts'
import type { Documents, Summary, sorts } from './port.ts'
import { questions } from './questions.ts'

/** How a map reads documents that the CRM shares with clients. */
export default mapped<Documents>({
  name: 'documents',
  compile: (reader, map) => (map.documents ? documents(reader, map, map.documents) : undefined),
  changes: (reader, map) => findChangesBy(reader, map, map.documents),
  questions,
})

/** Days for which a document counts as new, and before its last one in which it counts as expiring. */
const days = 30

const columns = `d.id::text as id, d.name, d.folder, d.type, d.size::float8 as size, d.by,
  to_char(d.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, d.expires::text as expires, ${isNew()} as is_new`

function isNew(): string {
  return `(d.at > ${param('today')}::date - ${days})`
}

const conditions = {
  new: isNew(),
  sent: 'false',
  expiring: `(d.expires <= ${param('today')}::date + ${days})`,
}

const orders: Record<(typeof sorts)[number], { by: string; type: string; down: boolean }> = {
  newest: { by: 'd.at', type: 'timestamptz', down: true },
  name: { by: 'lower(d.name)', type: 'text', down: false },
  largest: { by: 'd.size', type: 'numeric', down: true },
}

function documents(reader: Reader, map: CrmMap, it: DocumentsMap) {
  const k = placeOf(reader, it, 'k')
  const key = k.type(k.key)
  const shared = instant(k, it.sharedOn)
  expectType(k, it.size, ['integer', 'number'], 'a number of bytes')
  hintIndex(k, it, it.client, [it.sharedOn, k.key], 'lists of documents')
  const relation = `(select ${k.column(k.key)} as id, coalesce(nullif(${text(k, it.name)}, ''), 'document') as name,
      nullif(btrim(${text(k, it.folder)}, '/ '), '') as folder, coalesce(${text(k, it.type)}, '') as type,
      coalesce(${k.column(it.size)}, 0)::numeric as size, ${text(k, it.by)} as by, ${shared} as at,
      ${dateOf(k, it.expiresOn)} as expires, ${contentColumns(k, it)}
    from ${k.from} where ${belongs(reader, map, k, it)} and ${k.rows} and ${shared} is not null) d`
  const visible = `(d.expires is null or d.expires >= ${param('today')}::date)`
  const one = `from ${relation} where ${visible} and d.id = ${checked('id', keyOfType(key).cast)}`

  return (ask: Ask, customer: Customer): Documents => {
    const scope = customerValues(customer)
    const summaryOf = summary(customer)
    const rowOf = async (id: string, selected: string) => {
      const [row] = await ask(`select ${selected} ${one}`, { ...scope, id })
      if (!row) throw new NotFound()
      return row
    }
    return {
      async list({ status, search, folder, sort, after, size }) {
        const where = [
          visible,
          ...(status ? [conditions[status]] : []),
          ...(folder === undefined ? [] : [`d.folder = ${param('folder')}::text`]),
          ...(search ? [found] : []),
        ]
        const { items, next } = await listed(ask, {
          ...{ relation, columns, key, after, size, where },
          parts: [{ of: 'true', ...orders[sort] }],
          values: { ...scope, folder, search: search && containing(search) },
        })
        return { items: items.map(summaryOf), next }
      },
      async overview() {
        const [counts, folders] = await Promise.all([
          countsOf(ask, { relation, where: [visible], statuses, values: scope }),
          ask(foldersOf(`${relation} where ${visible}`), scope),
        ])
        return { counts, folders: folders.map(row => ({ ...row, id: row.name, restricted: false })) }
      },
      counts: search =>
        countsOf(ask, {
          relation,
          where: [visible, found],
          statuses,
          values: { ...scope, search: containing(search) },
        }),
      async find(id) {
        const its = summaryOf(await rowOf(id, columns))
        const { version, type, size, at, by, state } = its
        return {
          ...its,
          ...{ sha256: null, scanned: null, removable: false },
          versions: [{ version, type, size, at, by, state }],
        }
      },
      async content(id, version = 1) {
        const row = await rowOf(id, `${columns}, d.file, d.text`)
        const file = version === 1 ? await openContent(it, row) : undefined
        if (!file) throw new NotFound()
        const { name, type } = summaryOf(row)
        return { name, type, size: file.size, tag: tagOf(row, file), open: file.open }
      },
    }
  }
}

const found = `(d.name ilike ${param('search')} or d.folder ilike ${param('search')} or d.by ilike ${param('search')})`

const statuses = { all: 'true', ...conditions }

/** Of at most 10,000 documents. */
const foldersOf = (rows: string) => `
  select folder as name, least(count(*), 101)::int as files
  from (select d.folder from ${rows} and d.folder is not null limit 10000) d
  group by folder order by lower(folder) limit 200`

/** Other bytes have another tag as long as size or time of the row or file differ. */
const tagOf = (row: { id: string; at: string }, { size, changed }: OpenedFile) =>
  createHash('sha256')
    .update(JSON.stringify([row.id, row.at, size, changed]))
    .digest('hex')

const summary =
  ({ workspace }: Customer) =>
  (row: any): Summary => ({
    id: row.id,
    name: row.name,
    folder: row.folder === null ? null : { id: row.folder, name: row.folder },
    type: /^[\w.+-]+\/[\w.+-]+$/.test(row.type) ? row.type.toLowerCase() : 'application/octet-stream',
    size: row.size,
    version: 1,
    at: row.at,
    by: { kind: 'staff', name: row.by || workspace.name },
    own: false,
    isNew: row.is_new,
    expiresOn: row.expires,
    state: 'ready',
    threat: null,
  })
