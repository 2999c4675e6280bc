import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { fileKey } from '../../src/files/receive.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import type { FileStore } from '../../src/platform/files.ts'
import type { Counts, Document, DocumentFilter, Documents, Summary } from './port.ts'
import { storeOf } from './store.ts'

/** The CRM's ids and folders, told from Portico's own. */
const prefix = 'crm-'
const marked = (id: string) => `${prefix}${id}`

/** The CRM's id of a document in the combined list; undefined for one of Portico's own. */
export const crmIdOf = (id: string): string | undefined => (id.startsWith(prefix) ? id.slice(prefix.length) : undefined)

/**
 * The CRM's documents, and beside them what clients send and staff share in Portico. The CRM's are only read: when each
 * person opened them is kept in Portico's own table. Without a file store there are the CRM's alone.
 */
export function besideCrm(
  theirs: Documents,
  customer: Customer,
  database: Knex,
  files: FileStore | undefined,
): Documents {
  const own = files && storeOf(customer, database, files)
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const unread = (items: Summary[]) => withoutOpened(items, { customer, database, scope })
  const recent = async ({ sort = 'newest', folder, search }: Partial<DocumentFilter> = {}) => {
    const { items } = await theirs.list({ status: 'new', sort, folder, search, size: most })
    return (await unread(items)).filter(it => it.isNew).map(asOurs)
  }

  const crm: Source = {
    async list(filter) {
      if (filter.status === 'new') return inMemory(await recent(filter), filter)
      const { items, next } = await theirs.list(filter)
      return { items: (await unread(items)).map(asOurs), next }
    },
    overview: async () => {
      const [{ counts, folders }, fresh] = await Promise.all([theirs.overview(), recent()])
      return { counts: { ...counts, new: fresh.length }, folders }
    },
    counts: async search => {
      const [counts, fresh] = await Promise.all([theirs.counts?.(search), recent({ search })])
      return counts && { ...counts, new: fresh.length }
    },
  }
  const reading = readingOf(theirs, own, tag => files && previewKey(scope.workspace, tag))
  if (!own) return { ...reading, ...onlyCrm(crm) }

  return {
    ...reading,
    async list({ folder, ...filter }) {
      const [ours, its] = await placesOf(folder, own, theirs)
      const sources = [
        ...(ours === null ? [] : [(it: DocumentFilter) => own.list({ ...it, folder: ours })]),
        ...(its === null ? [] : [(it: DocumentFilter) => crm.list({ ...it, folder: its })]),
      ]
      return merged(sources, filter as DocumentFilter)
    },
    async overview() {
      const [ours, its] = await Promise.all([own.overview(), crm.overview()])
      return { counts: summed(ours.counts, its.counts), folders: joined(ours.folders, its.folders) }
    },
    counts: theirs.counts && (async search => summed((await own.counts!(search))!, (await crm.counts(search))!)),
  }
}

interface Source {
  list(filter: DocumentFilter): Promise<Page<Summary>>
  overview: Documents['overview']
  counts(search: string): Promise<Counts | undefined>
}

/** Counting ends here, as in a port's counts. */
const most = 1_001

const onlyCrm = (crm: Source) => ({
  list: ({ folder, ...filter }: DocumentFilter) =>
    folder === undefined || crmIdOf(folder) !== undefined
      ? crm.list({ ...filter, folder: folder && crmIdOf(folder) })
      : Promise.resolve({ items: [], next: null }),
  overview: async () => {
    const { counts, folders } = await crm.overview()
    return { counts, folders: joined([], folders) }
  },
})

/** What concerns one document is asked where it is. */
const readingOf = (
  theirs: Documents,
  own: Documents | undefined,
  keyOf: (tag: string) => string | undefined,
): Pick<Documents, 'find' | 'content'> => ({
  async find(id) {
    const its = crmIdOf(id)
    if (its === undefined && own) return own.find(id)
    const { versions, ...found } = await theirs.find(its ?? '')
    return { ...asOurs(found as Summary), versions } as Document
  },
  async content(id, version) {
    const its = crmIdOf(id)
    if (its === undefined && own) return own.content(id, version)
    const content = await theirs.content(its ?? '', version)
    return { ...content, key: keyOf(content.tag) }
  },
})

/** Where previews of the CRM's file are stored: no document of ours knows them, so that they are swept up, and made again. */
const previewKey = (workspace: string, tag: string) =>
  fileKey(workspace, marked(createHash('sha256').update(tag).digest('hex').slice(0, 32)))

const asOurs = <It extends Summary>(it: It): It => ({
  ...it,
  id: marked(it.id),
  folder: it.folder && { ...it.folder, id: marked(it.folder.id) },
})

/** A list that is small enough to be read at once, page by page. */
function inMemory(items: Summary[], { after, size }: DocumentFilter): Page<Summary> {
  const from = keyOf(after, z.tuple([z.int().min(0).max(most)]))?.[0] ?? 0
  return page(items.slice(from, from + size + 1), size, row => [items.indexOf(row) + 1])
}

type Folders = Awaited<ReturnType<Documents['overview']>>['folders']

/** Folders of one name are shown as one. */
function joined(ours: Folders, its: Folders): Folders {
  const byName = new Map(ours.map(it => [it.name.toLowerCase(), it]))
  for (const { id, name, files, restricted } of its) {
    const same = byName.get(name.toLowerCase())
    byName.set(name.toLowerCase(), {
      ...(same ?? { id: marked(id), name, restricted }),
      files: Math.min(files + (same?.files ?? 0), 101),
    })
  }
  return [...byName.values()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
}

/** The folders that a folder of the combined list stands for, ours and the CRM's; null where that has none. */
async function placesOf(
  folder: string | undefined,
  own: Documents,
  theirs: Documents,
): Promise<[string | null | undefined, string | null | undefined]> {
  if (folder === undefined) return [undefined, undefined]
  const [ours, its] = await Promise.all([own.overview(), theirs.overview()])
  const found =
    ours.folders.find(it => it.id === folder)?.name ?? its.folders.find(it => marked(it.id) === folder)?.name
  const named = (folders: Folders) => folders.find(it => it.name.toLowerCase() === found?.toLowerCase())?.id ?? null
  return [named(ours.folders), named(its.folders)]
}

const summed = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(
    (Object.keys(a) as (keyof Counts)[]).map(it => [it, Math.min(a[it] + b[it], most)]),
  ) as unknown as Counts

/** Of each list, the token of the page that is being read, and how many of its rows were shown already. */
const Positions = z.array(z.tuple([z.string().max(2_000).nullable(), z.int().min(0).max(most)])).length(2)

/** One list of two: the next row is always the first of either. Each list goes on where it was left. */
async function merged(
  lists: ((filter: DocumentFilter) => Promise<Page<Summary>>)[],
  { after, ...filter }: DocumentFilter,
): Promise<Page<Summary>> {
  if (lists.length < 2) return (await lists[0]?.({ ...filter, after })) ?? { items: [], next: null }
  const begun = keyOf(after, Positions)
  const [one, two] = (await Promise.all(
    lists.map((list, at) => readingFrom(list, filter, begun?.[at] ?? [null, 0])),
  )) as [Cursor, Cursor]
  const items: Summary[] = []
  while (items.length < filter.size) {
    const [a, b] = [await one.head(), await two.head()]
    if (!a && !b) return { items, next: null }
    const first = a && (!b || comesFirst[filter.sort](a, b))
    items.push((first ? one : two).take())
  }
  const more = (await one.head()) ?? (await two.head())
  const positions = [one.position(), two.position()]
  return { items, next: more ? Buffer.from(JSON.stringify(positions)).toString('base64url') : null }
}

interface Cursor {
  head(): Promise<Summary | undefined>
  take(): Summary
  position(): [string | null, number]
}

/** Reads a list row by row, a page at a time. */
async function readingFrom(
  list: (filter: DocumentFilter) => Promise<Page<Summary>>,
  filter: DocumentFilter,
  [token, shown]: [string | null, number],
): Promise<Cursor> {
  const ask = () => list({ ...filter, after: token ?? undefined, size: Math.max(filter.size, shown + 1) })
  let page = await ask()
  return {
    async head() {
      if (shown >= page.items.length && page.next !== null) {
        ;[token, shown] = [page.next, 0]
        page = await ask()
      }
      return page.items[shown]
    },
    take: () => page.items[shown++]!,
    position: () => [token, shown],
  }
}

const comesFirst: Record<DocumentFilter['sort'], (a: Summary, b: Summary) => boolean> = {
  newest: (a, b) => a.at >= b.at,
  name: (a, b) => a.name.toLowerCase() <= b.name.toLowerCase(),
  largest: (a, b) => a.size >= b.size,
}

interface Reading {
  customer: Customer
  database: Knex
  scope: { workspace: string; client: string }
}

/** What this person has opened since it was shared is new no more. */
async function withoutOpened(items: Summary[], { customer, database, scope }: Reading): Promise<Summary[]> {
  const ids = items.filter(it => it.isNew).map(it => it.id)
  if (!ids.length) return items
  const rows = await readWithin<{ id: string; at: string }>(database, scope, {
    name: 'portal.documents-opened-of-crm',
    text: `select r.document_id as id, to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
           from portal.client_crm_document_reads r
           where r.workspace_id = scope.workspace and r.client_id = scope.client and r.person_id::text = $3
             and r.document_id = any ($4)`,
    values: [customer.person.id, ids],
  })
  const opened = new Map(rows.map(it => [it.id, it.at]))
  return items.map(it => ({ ...it, isNew: it.isNew && !((opened.get(it.id) ?? '') >= it.at) }))
}

/** Records that a person has opened a document of the CRM now. */
export const markCrmRead = (tx: Knex, workspace: string, client: string, person: string, id: string) =>
  query(tx, {
    name: 'portal.read-document-of-crm',
    text: `insert into portal.client_crm_document_reads (workspace_id, person_id, document_id, client_id)
           values ($1, $2, $3, $4)
           on conflict (workspace_id, person_id, document_id) do update set at = portal.now()`,
    values: [workspace, person, id, client],
  })
