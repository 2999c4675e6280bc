import type { Knex } from 'knex'
import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { filesOf } from '../../src/files/attachments.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import { type Author, keepMessage, keepThread, noteReader } from './keep.ts'
import type { Conversation, Counts, Filter, Message, Messages, NewConversation, Summary } from './port.ts'

export const ofMessage = { table: 'portal.client_message_files', column: 'message_id' } as const

/** The port over Portico's own tables, bound to one customer. */
export function storeOf(customer: Customer, database: Knex): Messages {
  const scope = { workspace: customer.workspace.id, client: customer.client.id }
  const read: Read = (name, text, values) =>
    readWithin(database, scope, { name: `portal.messages-${name}`, text, values: [customer.person.id, ...values] })
  const by: Author = { kind: 'client', id: customer.person.id, name: customer.person.name }
  const own = { workspace: scope.workspace, client: scope.client, by }

  return {
    list: filter => list(filter, read),
    overview: async (search = '') => (await read<Counts>('counts', countsSql, [likeOf(search)]))[0]!,
    find: (id, size = 50) => find(id, size, read),
    async about(kind, id) {
      const [found] = await read<{ id: string }>('about', aboutSql, [kind, id])
      return found?.id
    },
    async start({ title, about, ...message }: NewConversation) {
      const { client, workspace } = customer
      const thread = await keepThread(database, {
        ...{ workspace: workspace.id, id: message.id, client, by, title },
        ...(about && { about }),
      })
      return keepMessage(database, { ...own, thread, ...message })
    },
    async send(thread, message) {
      return keepMessage(database, { ...own, thread: uuidOf(thread), ...message })
    },
    async markRead(thread, seq) {
      const [there] = await read<{ last: number }>('last', lastSql, [uuidOf(thread)])
      if (!there) throw new NotFound()
      return noteReader(database, { ...own, thread, readTo: Math.min(seq, there.last) })
    },
    async follow(thread, on) {
      const [there] = await read('last', lastSql, [uuidOf(thread)])
      if (!there) throw new NotFound()
      await follow(database, { ...own, thread }, on)
    },
  }
}

/** Runs a query that has the reader's id as `$3`, and its own values from `$4` on. */
type Read = <Row>(name: string, text: string, values: unknown[]) => Promise<Row[]>

const mine = 't.workspace_id = scope.workspace and t.client_id = scope.client'
const lastSql = `select t.last_seq as last from portal.client_message_threads t where ${mine} and t.id = $4 and $3::text is not null`
const aboutSql = `select t.id::text as id from portal.client_message_threads t
  where ${mine} and t.about_kind = $4 and t.about_id = $5 and $3::text is not null`

export const likeOf = (search = '') => `%${search.replace(/[\\%_]/g, '\\$&')}%`

/** Of threads whose title, or one of whose messages, has these words. */
export const matches = (like: string) => `(${like} = '%%' or t.title ilike ${like} or exists (
  select from portal.client_messages m
  where m.workspace_id = t.workspace_id and m.thread_id = t.id and m.text ilike ${like}))`

const reader = (column: string) => `(select r.${column} from portal.client_message_readers r
  where r.workspace_id = t.workspace_id and r.client_id = t.client_id and r.thread_id = t.id::text
    and r.kind = 'client' and r.person_id = $3)`

const unread = `coalesce((select t.last_seq - r.read_to from portal.client_message_readers r
  where r.follows and r.workspace_id = t.workspace_id and r.client_id = t.client_id and r.thread_id = t.id::text
    and r.kind = 'client' and r.person_id = $3), 0)`

const columns = `t.id::text as id, t.title, t.about_kind as about, t.about_id as "aboutId", t.about_number as number, t.last_seq as seq,
  t.last_at as at, t.last_kind as by, t.last_name as name, t.last_text as text, ${unread} as unread,
  coalesce((select d.text from portal.client_message_drafts d where d.workspace_id = t.workspace_id
    and d.client_id = t.client_id and d.person_id = $3 and d.thread_id = t.id::text), '') as draft`

const Key = z.tuple([z.string().max(40), z.uuid()])

async function list({ status, search, after, size }: Filter, read: Read): Promise<Page<Summary>> {
  const [at, id] = keyOf(after, Key) ?? [null, null]
  const rows = await read<Row & { key: string }>(
    `list-${status}-${id !== null}`,
    `select ${columns}, t.last_at::text as key from portal.client_message_threads t
     where ${mine} and ${matches('$4')} ${status === 'unread' ? `and ${unread} > 0` : ''}
       and ${id === null ? '$5::text is null and $6::text is null' : '(t.last_at, t.id) < ($5::timestamptz, $6::uuid)'}
     order by t.last_at desc, t.id desc limit $7`,
    [likeOf(search), at, id, size + 1],
  )
  const { items, next } = page(rows, size, row => [row.key, row.id])
  return { items: items.map(summaryOf), next }
}

interface Row {
  id: string
  title: string
  about: string | null
  aboutId: string
  number: string
  seq: number
  at: Date
  by: 'client' | 'staff'
  name: string
  text: string
  unread: number
  draft: string
}

const summaryOf = ({ id, title, about, aboutId, number, seq, at, by, name, text, unread, draft }: Row): Summary => ({
  ...{ id, title, seq, unread, draft },
  about: about === null ? null : { kind: about, id: aboutId, number },
  last: { at: at.toISOString(), by, name, text },
})

/** Each counts to 1,001 at most. */
const countsSql = `select
  (select count(*)::int from (select from portal.client_message_threads t where ${mine} and ${matches('$4')} limit 1001) few) as all,
  (select count(*)::int from (
     select from portal.client_message_readers r join portal.client_message_threads t
       on t.workspace_id = r.workspace_id and t.client_id = r.client_id and t.id::text = r.thread_id
     where r.workspace_id = scope.workspace and r.client_id = scope.client and r.kind = 'client' and r.person_id = $3
       and r.follows and t.last_seq > r.read_to and ${matches('$4')} limit 1001) few) as unread`

/** SQL of messages of the thread `t`, the newest `size` of them, oldest first. */
export const messagesOf = (size: string, more = '', own = 'false') => `(
  select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'seq', c.seq, 'at', c.at, 'by', c.author_kind, 'person', c.author_id,
    'name', c.author_name, 'own', ${own}, 'text', c.text, 'byMail', c.by_mail, 'files', ${filesOf(ofMessage, more)})
    order by c.seq), '[]')
  from (select * from portal.client_messages c
        where c.workspace_id = t.workspace_id and c.thread_id = t.id order by c.seq desc limit ${size}) c)`

/** SQL of who takes part in the thread `t`. */
export const participantsOf = (own: string) => `(
  select coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'id', r.person_id, 'name', r.name, 'own', ${own},
    'readTo', r.read_to) order by r.kind, r.name), '[]')
  from portal.client_message_readers r
  where r.workspace_id = t.workspace_id and r.client_id = t.client_id and r.thread_id = t.id::text
    and (r.wrote or r.follows))`

const address = `, 'address', '/messages/' || t.id || '/files/' || f.id || '/content'`

async function find(id: string, size: number, read: Read): Promise<Conversation> {
  const [row] = await read<
    Row & {
      messages: Message[]
      participants: Conversation['participants']
      follows: boolean | null
      readTo: number | null
    }
  >(
    'find',
    `select ${columns}, ${reader('follows')} as follows, ${reader('read_to')} as "readTo",
       ${messagesOf('$5', address, `c.author_kind = 'client' and c.author_id = $3`)} as messages,
       ${participantsOf(`r.kind = 'client' and r.person_id = $3`)} as participants
     from portal.client_message_threads t where ${mine} and t.id = $4`,
    [uuidOf(id), size],
  )
  if (!row) throw new NotFound()
  const { messages, participants, follows, readTo } = row
  return {
    ...{ ...summaryOf(row), messages, participants },
    ...{ more: (messages[0]?.seq ?? 1) > 1, follows: follows ?? false, readTo: readTo ?? 0 },
  }
}

/** Throws NotFound for what no conversation here can have as its id. */
export function uuidOf(id: string): string {
  const found = z.uuid().safeParse(id).data
  if (!found) throw new NotFound()
  return found.toLowerCase()
}

/** What is new from now on; who stops is mailed nothing of it any more. */
export const follow = (
  database: Knex,
  { workspace, client, thread, by }: { workspace: string; client: string; thread: string; by: Author },
  on: boolean,
) =>
  query(database, {
    text: `insert into portal.client_message_readers as r (workspace_id, client_id, thread_id, kind, person_id, name, follows, read_to)
           values ($1, $2, $3, $4, $5, $6, $7, coalesce((
             select last_seq from portal.client_message_threads t where t.workspace_id = $1 and t.id::text = $3), 0))
           on conflict (workspace_id, client_id, thread_id, kind, person_id) do update set follows = excluded.follows`,
    values: [workspace, client, thread, by.kind, by.id, by.name, on],
  })
