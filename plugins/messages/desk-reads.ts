import type { Knex } from 'knex'
import { z } from 'zod'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'
import type { Conversation, Message } from './port.ts'
import { likeOf, matches, messagesOf, participantsOf, uuidOf } from './store.ts'

/** `waiting`: a client waits for an answer. `mine`: whoever looks at it has it. */
export const shows = ['waiting', 'mine', 'all'] as const
type Show = (typeof shows)[number]

/** In which workspace, and which of the staff reads. */
export interface Place {
  workspace: string
  staff: string
}

export interface InboxRow {
  id: string
  client: { id: string; name: string }
  title: string
  about: { kind: string; id: string; number: string } | null
  seq: number
  last: { at: Date; by: 'client' | 'staff'; name: string; text: string }
  /** Since when the client waits for an answer. */
  waitingSince: Date | null
  /** Which of the staff has it. */
  staff: { id: string; name: string } | null
  /** How many messages are new to whoever reads. */
  unread: number
  readTo: number
  draft: string
}

const conditions: Record<Show, string> = {
  waiting: 't.waiting_since is not null',
  mine: 't.staff_id = $3',
  all: 'true',
}

const columns = `t.id::text as id, jsonb_build_object('id', t.client_id, 'name', t.client_name) as client, t.title, t.last_seq as seq,
  case when t.about_kind is not null
    then jsonb_build_object('kind', t.about_kind, 'id', t.about_id, 'number', t.about_number) end as about,
  t.last_at, t.last_kind, t.last_name, t.last_text, t.waiting_since as "waitingSince",
  case when t.staff_id is not null then jsonb_build_object('id', t.staff_id, 'name', t.staff_name) end as staff,
  coalesce((select r.read_to from portal.client_message_readers r where r.workspace_id = t.workspace_id
    and r.client_id = t.client_id and r.thread_id = t.id::text and r.kind = 'staff' and r.person_id = $3), 0) as "readTo",
  coalesce((select d.text from portal.client_message_staff_drafts d where d.workspace_id = t.workspace_id
    and d.staff_id = $3 and d.thread_id = t.id::text), '') as draft`

interface Row extends Omit<InboxRow, 'last' | 'unread'> {
  last_at: Date
  last_kind: 'client' | 'staff'
  last_name: string
  last_text: string
}

const rowOf = ({ last_at, last_kind, last_name, last_text, ...row }: Row): InboxRow => ({
  ...row,
  last: { at: last_at, by: last_kind, name: last_name, text: last_text },
  unread: row.seq - row.readTo,
})

const Key = z.tuple([z.string().max(40), z.uuid()])

interface Asked {
  show: Show
  search: string
  after?: string | undefined
  size: number
}

/** Who waits longest comes first; of the others, whatever was said last. */
export async function inbox(database: Knex, { workspace, staff }: Place, asked: Asked): Promise<Page<InboxRow>> {
  const { show, search, after, size } = asked
  const [at, id] = keyOf(after, Key) ?? [null, null]
  const [column, sign, direction] = show === 'waiting' ? ['t.waiting_since', '>', 'asc'] : ['t.last_at', '<', 'desc']
  const past =
    id === null ? '$5::text is null and $6::text is null' : `(${column}, t.id) ${sign} ($5::timestamptz, $6::uuid)`
  const rows = await readWithin<Row & { key: string }>(
    database,
    { workspace },
    {
      name: `portal.inbox-${show}-${id !== null}`,
      text: `select ${columns}, ${column}::text as key from portal.client_message_threads t
             where t.workspace_id = scope.workspace and ${conditions[show]} and ${matchesForStaff('$4')} and ${past}
             order by ${column} ${direction}, t.id ${direction} limit $7`,
      values: [staff, likeOf(search), at, id, size + 1],
    },
  )
  const { items, next } = page(rows, size, row => [row.key, row.id])
  return { items: items.map(({ key, ...row }) => rowOf(row)), next }
}

const matchesForStaff = (like: string) => `(t.client_name ilike ${like} or ${matches(like)})`

/** Each counts to 1,001 at most. */
export async function inboxCounts(database: Knex, { workspace, staff }: Place, search: string) {
  const count = (show: Show) => `(select count(*)::int from (
    select from portal.client_message_threads t
    where t.workspace_id = scope.workspace and ${conditions[show]} and ${matchesForStaff('$4')} and $3::text is not null
    limit 1001) few) as ${show}`
  const [counts] = await readWithin<Record<Show, number>>(
    database,
    { workspace },
    { name: 'portal.inbox-counts', text: `select ${shows.map(count).join(', ')}`, values: [staff, likeOf(search)] },
  )
  return counts!
}

/** Something said in a conversation: by a client, by staff, or among staff. */
export type Remark = (Message & { note?: undefined }) | Note

interface Note {
  note: true
  id: string
  /** The number of the message that it comes after. */
  seq: number
  at: string
  person: string
  name: string
  own: boolean
  text: string
}

export interface StaffThread extends InboxRow {
  messages: Message[]
  notes: Note[]
  participants: Conversation['participants']
}

/** One conversation with its newest messages, and what staff said among themselves. Throws NotFound. */
export async function findForStaff(database: Knex, { workspace, staff }: Place, id: string, size: number) {
  const [row] = await readWithin<Row & Pick<StaffThread, 'messages' | 'notes' | 'participants'>>(
    database,
    { workspace },
    {
      name: 'portal.inbox-one',
      text: `select ${columns}, ${messagesOf('$5', '', `c.author_kind = 'staff' and c.author_id = $3`)} as messages,
               ${participantsOf(`r.kind = 'staff' and r.person_id = $3`)} as participants, (
                 select coalesce(jsonb_agg(jsonb_build_object('note', true, 'id', n.id, 'seq', n.after_seq, 'at', n.at,
                   'person', n.staff_id, 'name', n.staff_name, 'own', n.staff_id = $3, 'text', n.text) order by n.at, n.id), '[]')
                 from (select * from portal.client_message_notes n
                       where n.workspace_id = t.workspace_id and n.thread_id = t.id and n.after_seq > t.last_seq - $5
                       order by n.at desc limit 500) n) as notes
             from portal.client_message_threads t where t.workspace_id = scope.workspace and t.id = $4`,
      values: [staff, uuidOf(id), size],
    },
  )
  if (!row) throw new NotFound()
  const { messages, notes, participants, ...rest } = row
  return { ...rowOf(rest), messages, notes, participants } satisfies StaffThread
}

/** Notes stand after the message that they were written after. */
export const remarksOf = ({ messages, notes }: Pick<StaffThread, 'messages' | 'notes'>): Remark[] =>
  [...messages, ...notes].sort(
    (a, b) => a.seq - b.seq || Number('note' in a) - Number('note' in b) || (a.at < b.at ? -1 : 1),
  )

interface Reader {
  kind: 'client' | 'staff'
  id: string
  name: string
  wrote: boolean
  /** Whether they are told of what is new. */
  follows: boolean
  readTo: number
}

/** Whoever wrote in a conversation, was written to, or has read it. */
export const readersOf = (database: Knex, workspace: string, thread: string): Promise<Reader[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.inbox-readers',
      text: `select r.kind, r.person_id as id, r.name, r.wrote, r.follows, r.read_to as "readTo"
             from portal.client_message_threads t join portal.client_message_readers r
               on r.workspace_id = t.workspace_id and r.client_id = t.client_id and r.thread_id = t.id::text
             where t.workspace_id = scope.workspace and t.id = $3 order by lower(r.name), r.person_id`,
      values: [thread],
    },
  )

/** Staff of this workspace who have used the inbox. */
export const staffOf = (database: Knex, workspace: string): Promise<{ id: string; name: string }[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.inbox-staff',
      text: `select s.staff_id as id, s.name from portal.client_message_staff s
             where s.workspace_id = scope.workspace order by lower(s.name), s.staff_id limit 200`,
    },
  )

export interface QuickReply {
  id: string
  title: string
  text: string
}

export const quickReplies = (database: Knex, workspace: string): Promise<QuickReply[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.quick-replies',
      text: `select q.id::text as id, q.title, q.text from portal.client_message_quick_replies q
             where q.workspace_id = scope.workspace order by lower(q.title), q.id limit 200`,
    },
  )

/** What one of the staff was writing. */
export async function staffDraft(database: Knex, { workspace, staff }: Place, thread: string) {
  const [draft] = await readWithin<{ text: string; note: boolean }>(
    database,
    { workspace },
    {
      name: 'portal.staff-draft',
      text: `select d.text, d.note from portal.client_message_staff_drafts d
             where d.workspace_id = scope.workspace and d.staff_id = $3 and d.thread_id = $4`,
      values: [staff, thread],
    },
  )
  return draft ?? { text: '', note: false }
}
