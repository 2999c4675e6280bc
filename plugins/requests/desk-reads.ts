import type { Knex } from 'knex'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'
import { uuidOf } from './items.ts'
import type { Item } from './port.ts'

/** A request as staff have it in lists. */
export interface ListedRequest {
  id: string
  name: string
  client: string
  clientName: string
  personName: string | null
  dueOn: string | null
  late: boolean
  state: 'open' | 'closed' | 'withdrawn'
  items: number
  done: number
  toReview: number
  returned: number
  files: number
  finished: boolean
  changedAt: string
}

export const shows = ['review', 'late', 'silent', 'open', 'done'] as const
type Show = (typeof shows)[number]

export interface Sought {
  show?: Show
  search?: string
  /** The id of a sending, or of a client. */
  sending?: string
  client?: string
  after?: string
}

/** The plain date is `$3`. */
const conditions: Record<Show, string> = {
  review: 'r.to_review > 0',
  late: 'not r.finished and r.due_key < $3::date',
  silent: 'not r.finished and r.files = 0 and r.done = 0',
  open: 'not r.finished',
  done: 'r.finished',
}

const instant = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const columns = `r.id, r.name, r.client_id as client, r.client_name as "clientName", r.person_name as "personName", r.due_on::text as "dueOn",
  (not r.finished and coalesce(r.due_on < $3::date, false)) as late, r.state, r.items, r.done, r.to_review as "toReview", r.returned, r.files, r.finished,
  ${instant('r.changed_at')} as "changedAt"`

const within = `r.workspace_id = scope.workspace and ($4::uuid is null or r.sending_id = $4) and ($5::text is null or r.client_id = $5)
  and ($6 = '%%' or r.name ilike $6 or r.client_name ilike $6)`

const likeOf = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`

const valuesOf = (today: string, { sending, client, search }: Sought) => [
  today,
  sending ?? null,
  client ?? null,
  likeOf(search),
]

/** Requests on a page. */
const size = 50

const Key = z.tuple([z.string().regex(/^(infinity|\d{4}-\d\d-\d\d)$/), z.uuid()])

/** The first due first. */
export async function requestsOf(
  database: Knex,
  { workspace, today }: { workspace: string; today: string },
  sought: Sought,
): Promise<Page<ListedRequest>> {
  const { show, after } = sought
  const [day, id] = keyOf(after, Key) ?? [null, null]
  const rows = await readWithin<ListedRequest>(
    database,
    { workspace },
    {
      name: `portal.requests-of-staff-${show ?? 'all'}`,
      text: `select ${columns} from portal.client_requests r
             where ${within} ${show ? `and ${conditions[show]}` : ''}
               and ($7::date is null or (r.due_key, r.id) > ($7::date, $8::uuid))
             order by r.due_key, r.id limit ${size + 1}`,
      values: [...valuesOf(today, sought), day, id],
    },
  )
  return page(rows, size, it => [it.dueOn ?? 'infinity', it.id])
}

export type StaffCounts = Record<Show | 'all', number>

/** How many there are of each kind, to 1,001 at most. */
export async function countsOf(database: Knex, workspace: string, today: string, sought: Sought): Promise<StaffCounts> {
  const [row] = await readWithin<StaffCounts>(
    database,
    { workspace },
    {
      name: 'portal.requests-counts-of-staff',
      text: `select ${Object.entries({ all: '$3::date is not null', ...conditions })
        .map(
          ([name, condition]) => `(select count(*)::int from (
            select from portal.client_requests r where ${within} and ${condition} limit 1001) it) as "${name}"`,
        )
        .join(', ')}`,
      values: valuesOf(today, sought),
    },
  )
  return row!
}

/** What was sent to several clients at once. */
export interface SendingProgress {
  id: string
  name: string
  dueOn: string | null
  at: string
  by: string
  /** To how many it goes, and how many have it. */
  clients: number
  sent: number
  finished: number
  silent: number
  late: number
  items: number
  done: number
}

/** The latest, newest first; or one of them. */
export const sendingsOf = (
  database: Knex,
  { workspace, today }: { workspace: string; today: string },
  id?: string,
): Promise<SendingProgress[]> =>
  readWithin<SendingProgress>(
    database,
    { workspace },
    {
      name: 'portal.request-sendings',
      text: `select s.id, s.name, s.due_on::text as "dueOn", ${instant('s.at')} as at, s.by_name as by,
               jsonb_array_length(s.clients) as clients, n.*
             from (
               select * from portal.client_request_sendings s
               where s.workspace_id = scope.workspace and case when $4::uuid is null then jsonb_array_length(s.clients) > 1
                 and s.at > portal.now() - interval '400 days' else s.id = $4 end
               order by s.at desc limit 5) s
             cross join lateral (
               select count(*)::int as sent, (count(*) filter (where r.finished))::int as finished,
                 (count(*) filter (where ${conditions.silent}))::int as silent, (count(*) filter (where ${conditions.late}))::int as late,
                 coalesce(sum(r.items), 0)::int as items, coalesce(sum(r.done), 0)::int as done
               from portal.client_requests r where r.workspace_id = s.workspace_id and r.sending_id = s.id) n
             order by s.at desc`,
      values: [today, uuidOf(id ?? '')],
    },
  )

interface StaffItem extends Omit<Item, 'files' | 'example'> {
  version: number
  acceptedBy: string | null
  example: { name: string; size: number } | null
  files: StaffFile[]
}

interface StaffFile {
  id: string
  name: string
  type: string
  size: number
  state: 'arriving' | 'checking' | 'ready' | 'infected'
  threat: string | null
  scan: 'none' | 'clean' | 'too-large' | null
  by: string
  at: string
  /** SHA-256, in hexadecimal digits. */
  tag: string | null
  /** Whether it was there when the item was sent back. */
  returned: boolean
}

export interface StaffRequest extends ListedRequest {
  about: string
  by: string
  at: string
  person: string | null
  remindedAt: string | null
  list: StaffItem[]
}

const filesSql = `(select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'type', coalesce(k.type, ''), 'size', k.size,
    'state', k.state, 'threat', k.threat, 'scan', k.scan, 'by', k.by_name, 'at', ${instant('k.at')}, 'tag', encode(k.sha256, 'hex'),
    'returned', f.returned) order by k.at, k.id), '[]')
  from portal.client_request_files f join portal.client_files k on k.workspace_id = f.workspace_id and k.id = f.file_id
  where f.workspace_id = i.workspace_id and f.request_id = i.request_id and f.item_id = i.id)`

const itemsSql = `(select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'hint', i.hint, 'wanted', i.wanted,
    'state', i.state, 'reason', i.reason, 'by', i.by_name, 'at', ${instant('i.changed_at')}, 'accepted', i.accepted_at is not null,
    'acceptedBy', i.accepted_by, 'version', i.version, 'example', i.example, 'files', ${filesSql}) order by i.position, i.id), '[]')
  from portal.client_request_items i where i.workspace_id = r.workspace_id and i.request_id = r.id)`

/** Throws NotFound. */
export async function findForStaff(
  database: Knex,
  { workspace, today }: { workspace: string; today: string },
  id: string,
): Promise<StaffRequest> {
  const [found] = await readWithin<StaffRequest>(
    database,
    { workspace },
    {
      name: 'portal.request-of-staff',
      text: `select ${columns}, r.about, r.by_name as by, ${instant('r.at')} as at, r.person_id::text as person,
               ${instant('r.reminded_at')} as "remindedAt", ${itemsSql} as list
             from portal.client_requests r where r.workspace_id = scope.workspace and r.id = $4`,
      values: [today, uuidOf(id)],
    },
  )
  if (!found) throw new NotFound()
  return found
}

/** SQL of how many requests have something that staff have not looked at yet, for the menu. */
export const waitingSql = `(select count(*)::int from (
  select from portal.client_requests r where r.workspace_id = scope.workspace and r.to_review > 0 and r.state = 'open' limit 100) q)`
