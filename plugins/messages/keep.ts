import type { Knex } from 'knex'
import { Conflict, NotFound } from '../../src/http/errors.ts'
import { excerptOf } from '../../src/mail/content.ts'
import { query } from '../../src/platform/database.ts'
import type { Stored } from './port.ts'

export interface Author {
  kind: 'client' | 'staff'
  id: string
  name: string
}

interface Kept {
  workspace: string
  client: string
  thread: string
  /** A UUID that the sender chose. */
  id: string
  by: Author
  text: string
  byMail?: boolean
}

/**
 * Stores a message as the next one of its conversation, in a transaction that has entered the workspace: once, however
 * often it is sent. The author has read what is there, follows from now on, and their draft is over. Throws NotFound, and
 * Conflict where the id is that of another message.
 */
export async function keepMessage(tx: Knex, it: Kept): Promise<Stored> {
  const { workspace, client, thread: id, by, text } = it
  const [thread] = await query<{ title: string; seq: number; waited: number | null }>(tx, {
    name: 'portal.lock-thread',
    text: `select t.title, t.last_seq as seq, extract(epoch from portal.now() - t.waiting_since)::int as waited
           from portal.client_message_threads t where t.workspace_id = $1 and t.client_id = $2 and t.id = $3 for update`,
    values: [workspace, client, id],
  })
  if (!thread) throw new NotFound()
  const [same] = await query<{ thread: string; seq: number; own: boolean }>(tx, {
    name: 'portal.same-message',
    text: `select m.thread_id::text as thread, m.seq, m.author_kind = $3 and m.author_id = $4 as own
           from portal.client_messages m where m.workspace_id = $1 and m.id = $2`,
    values: [workspace, it.id, by.kind, by.id],
  })
  if (same && !(same.own && same.thread === id)) throw new Conflict()
  if (same) return { thread: id, title: thread.title, seq: same.seq, repeated: true }
  const seq = thread.seq + 1
  await insert(tx, { ...it, seq, waited: by.kind === 'staff' ? thread.waited : null })
  await query(tx, {
    name: 'portal.next-message',
    text: `update portal.client_message_threads set last_seq = $3, last_at = portal.now(), last_kind = $4, last_name = $5,
             last_text = $6, waiting_since = case when $4 = 'client' then coalesce(waiting_since, portal.now()) end
           where workspace_id = $1 and id = $2`,
    values: [workspace, id, seq, by.kind, by.name, excerptOf(text.replace(/\s+/g, ' '), 160)],
  })
  await noteReader(tx, { workspace, client, thread: id, by, readTo: seq, wrote: true, follows: true })
  await forgetDraft(tx, it)
  return { thread: id, title: thread.title, seq, repeated: false }
}

const insert = (tx: Knex, it: Kept & { seq: number; waited: number | null }) =>
  query(tx, {
    name: 'portal.insert-message',
    text: `insert into portal.client_messages
             (workspace_id, thread_id, seq, id, client_id, author_kind, author_id, author_name, text, by_mail, answered_after)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [
      ...[it.workspace, it.thread, it.seq, it.id, it.client, it.by.kind, it.by.id, it.by.name, it.text],
      ...[it.byMail ?? false, it.waited],
    ],
  })

interface Reader {
  workspace: string
  client: string
  thread: string
  by: Author
  readTo: number
  wrote?: boolean
  follows?: boolean
}

/** Notes who reads along and how far, never less than before. Resolves to whether they have read more than before. */
export async function noteReader(tx: Knex, it: Reader): Promise<boolean> {
  const [row] = await query<{ more: boolean }>(tx, {
    name: 'portal.note-reader',
    text: `with before as (
             select read_to from portal.client_message_readers
             where workspace_id = $1 and client_id = $2 and thread_id = $3 and kind = $4 and person_id = $5
           )
           insert into portal.client_message_readers as r
             (workspace_id, client_id, thread_id, kind, person_id, name, read_to, wrote, follows)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (workspace_id, client_id, thread_id, kind, person_id) do update set name = excluded.name,
             read_to = greatest(r.read_to, excluded.read_to), wrote = r.wrote or excluded.wrote,
             follows = r.follows or excluded.follows
           returning r.read_to > coalesce((select read_to from before), 0) as more`,
    values: [
      ...[it.workspace, it.client, it.thread, it.by.kind, it.by.id, it.by.name, it.readTo],
      ...[it.wrote ?? false, it.follows ?? false],
    ],
  })
  return row?.more ?? false
}

const forgetDraft = (tx: Knex, { workspace, client, thread, by }: Kept) =>
  by.kind === 'client'
    ? query(tx, {
        name: 'portal.forget-message-draft',
        text: `delete from portal.client_message_drafts
               where workspace_id = $1 and client_id = $2 and person_id = $3 and thread_id = $4`,
        values: [workspace, client, by.id, thread],
      })
    : query(tx, {
        name: 'portal.forget-staff-draft',
        text: `delete from portal.client_message_staff_drafts
               where workspace_id = $1 and staff_id = $2 and thread_id = $3`,
        values: [workspace, by.id, thread],
      })

interface NewThread {
  workspace: string
  /** The id of the first message, sent twice: the conversation gets the same. */
  id: string
  client: { id: string; name: string }
  by: Author
  title: string
  about?: { kind: string; id: string; number: string }
}

/** Makes a conversation, or finds the one about the same record. Gives its id. */
export async function keepThread(tx: Knex, it: NewThread): Promise<string> {
  const { workspace, id, client, by, title, about } = it
  const [made] = await query<{ id: string }>(tx, {
    text: `insert into portal.client_message_threads
             (workspace_id, id, client_id, client_name, title, about_kind, about_id, about_number, last_kind, last_name)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning id`,
    values: [
      ...[workspace, id, client.id, client.name, title, about?.kind ?? null, about?.id ?? null, about?.number ?? null],
      ...[by.kind, by.name],
    ],
  })
  if (made) return made.id
  const [there] = await query<{ id: string }>(tx, {
    text: `select id::text as id from portal.client_message_threads
           where workspace_id = $1 and client_id = $2 and (id = $3 or (about_kind = $4 and about_id = $5))
           order by id = $3 desc limit 1`,
    values: [workspace, client.id, id, about?.kind ?? null, about?.id ?? null],
  })
  if (!there) throw new Conflict()
  return there.id
}
