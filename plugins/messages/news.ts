import type { Knex } from 'knex'
import { readWithin } from '../../src/platform/database.ts'

interface Waiting {
  thread: string
  title: string
  /** Names of the person and of their company. */
  by: string
  client: string
  text: string
  files: string[]
  /** How many of their messages nobody has answered. */
  count: number
}

/** Seconds within which another message of the client tells of this one too. */
const quiet = 60

/**
 * A message of a client that still waits for an answer, by its id: with what else of the same conversation waits.
 * Undefined where somebody has answered or read it, or another came right after it, which tells of it.
 */
export async function findWaiting(database: Knex, workspace: string, id: string): Promise<Waiting | undefined> {
  const [found] = await readWithin<Waiting>(
    database,
    { workspace },
    {
      name: 'portal.message-waiting',
      text: `select t.id::text as thread, t.title, m.author_name as by, t.client_name as client, count(n.*)::int as count,
               string_agg(n.text, E'\\n\\n' order by n.seq) filter (where n.text <> '') as text,
               coalesce((select jsonb_agg(f.name order by f.id) from portal.client_message_files a
                   join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
                   join portal.client_messages o on o.workspace_id = a.workspace_id and o.id = a.message_id
                 where o.workspace_id = m.workspace_id and o.thread_id = m.thread_id and o.seq > m.since and o.seq <= m.seq), '[]') as files
             from (
               select m.*, coalesce((select max(s.seq) from portal.client_messages s
                   where s.workspace_id = m.workspace_id and s.thread_id = m.thread_id and s.author_kind = 'staff'), 0) as since
               from portal.client_messages m
               where m.workspace_id = scope.workspace and m.id::text = $3 and m.author_kind = 'client') m
               join portal.client_message_threads t on t.workspace_id = m.workspace_id and t.id = m.thread_id
               join portal.client_messages n on n.workspace_id = m.workspace_id and n.thread_id = m.thread_id
                 and n.seq > m.since and n.seq <= m.seq
             where t.waiting_since is not null and m.seq > m.since and not exists (
                 select from portal.client_messages l
                 where l.workspace_id = m.workspace_id and l.thread_id = m.thread_id and l.seq > m.seq and l.author_kind = 'client'
                   and l.at <= m.at + interval '${quiet} seconds')
               and not exists (
                 select from portal.client_message_readers r
                 where r.workspace_id = m.workspace_id and r.client_id = m.client_id and r.thread_id = m.thread_id::text
                   and r.kind = 'staff' and r.read_to >= m.seq)
             group by t.id, t.title, m.author_name, t.client_name, m.workspace_id, m.thread_id, m.since, m.seq`,
      values: [id],
    },
  )
  return found && { ...found, text: found.text ?? '' }
}
