import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import {
  type Attaching,
  Attachment,
  attach,
  clientLimits,
  filesOf,
  withAttachments,
} from '../../src/files/attachments.ts'
import type { ReceivedFile } from '../../src/files/receive.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { query, readWithin, type Scope } from '../../src/platform/database.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Thread } from '../../src/plugin/capabilities.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import type { SubjectRecord } from '../../src/plugin/subjects.ts'

/** The comments of a client and the workspace on a document, the oldest first. */
export const Comment = z.object({
  id: z.uuid(),
  at: z.iso.datetime({ offset: true }),
  /** Title of the line that it is about. */
  line: z.string().nullable(),
  by: z.enum(['client', 'staff']),
  name: z.string(),
  text: z.string(),
  /** Whether the client disputes what it is about. */
  disputed: z.boolean(),
  /** In the order in which they were chosen. */
  files: z.array(Attachment).default([]),
})
export type Comment = z.infer<typeof Comment>

export const ofComment: Attaching = { table: 'portal.client_comment_files', column: 'comment_id' }

/** SQL of the files of the comment `c`, with more properties of each, if any. */
export const filesOfComment = (more = '') => filesOf(ofComment, more)

const Said = z.object({
  text: z
    .string('Write your question.')
    .trim()
    .min(1, 'Write your question.')
    .max(4_000, 'This is too long.')
    .transform(it => it.toWellFormed()),
  line: z.string().optional().catch(undefined),
  disputed: z.literal('on').optional().catch(undefined),
})

/** What a client says about a subject of theirs; it is there, with its row of activity, when this resolves. */
export async function say(req: Request<any>, host: Host, thread: Thread): Promise<void> {
  const about = await thread.subject(req)
  if (!req.portal.on(`${thread.kind}.questions`)) throw new NotFound()
  const { space, kinds } = await clientLimits(host, req.portal.workspace.id)
  await withAttachments(req, host, files => save(req, host, { ...thread, about, files, space }), kinds)
  host.jobs.wake()
}

type Saying = Thread & { about: SubjectRecord; files: ReceivedFile[]; space: number }

async function save(
  req: Request<any>,
  host: Host,
  { kind, about, disputable, files, space: most }: Saying,
): Promise<void> {
  const { id, number, parts = [], names = parts } = about
  const { text, line, ...typed } = read(Said, req)
  const disputed = Boolean(disputable && typed.disputed)
  if (line && !names.includes(line)) {
    const wrong = parts.includes(line)
      ? 'Several lines have this name. Choose one from the list.'
      : 'The line you asked about no longer exists.'
    throw new Invalid({ text: [wrong] }, req.portal.body)
  }
  const { person, client } = req.portal.customer
  const { workspace } = req.portal
  await runAction(
    req,
    async ({ tx }) => {
      await requireRoom(tx, req)
      const place = { workspace: workspace.id, client, section: kind, id, number, line: line || null }
      const comment = await keep(tx, { ...place, by: 'client', author: person, text, disputed })
      const by = { kind: 'client', id: person.id, name: person.name } as const
      const to = { ...ofComment, id: comment, workspace, client: client.id, by, most, typed: req.portal.body }
      await attach(tx, host, to, files)
      return comment
    },
    comment => ({ event: `${kind}.${disputed ? 'disputed' : 'commented'}`, subject: { id, number, comment } }),
  )
}

/** How many questions one person may send within a minute, and within a day. */
const most = { minute: 10, day: 200 }

class TooManyQuestions extends Invalid {
  status = 429
  code = 'too-many-questions'
}

/** Throws TooManyQuestions, which keeps what was typed. */
async function requireRoom(tx: Knex, { portal: { workspace, customer, body } }: Request<any>) {
  const room = await hasRoom(tx, workspace.id, customer.person.id)
  if (room !== true) throw new TooManyQuestions({ text: [room] }, body)
}

/** Whether this person may send another question now, or why not. */
export async function hasRoom(tx: Knex, workspace: string, person: string): Promise<true | string> {
  const [sent] = await query<{ minute: number; day: number }>(tx, {
    text: `select count(*) filter (where c.at > portal.now() - interval '1 minute')::int as minute, count(*)::int as day
           from portal.client_comments c
           where c.workspace_id = $1 and c.author_id = $2 and c.author_kind = 'client'
             and c.at > portal.now() - interval '1 day'`,
    values: [workspace, person],
  })
  if (sent && sent.day >= most.day) return 'You’ve reached the limit of questions for today. Send this one tomorrow.'
  if (sent && sent.minute >= most.minute) return 'You’ve sent several questions in a row. Send this one in a minute.'
  return true
}

interface Kept {
  workspace: string
  client: { id: string; name: string }
  section: string
  id: string
  number: string
  line: string | null
  by: 'client' | 'staff'
  author: { id: string; name: string }
  text: string
  disputed?: boolean
}

/** Within a transaction that has entered the workspace. Gives the comment's id. */
export async function keep(tx: Knex, it: Kept): Promise<string> {
  const id = uuid()
  await query(tx, {
    text: `insert into portal.client_comments (workspace_id, id, client_id, client_name, section, document_id, number, line_title,
             author_kind, author_id, author_name, text, disputed)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    values: [
      ...[it.workspace, id, it.client.id, it.client.name, it.section, it.id, it.number, it.line],
      ...[it.by, it.author.id, it.author.name, it.text, it.disputed ?? false],
    ],
  })
  return id
}

/** A comment of a client, for who tells staff of it. */
export async function findComment(database: Knex, workspace: string, id: string) {
  const [found] = await readWithin<{
    text: string
    line: string | null
    disputed: boolean
    by: string
    client: string
    files: string[]
  }>(
    database,
    { workspace },
    {
      text: `select c.text, c.line_title as line, c.disputed, c.author_name as by, c.client_name as client,
               (select coalesce(jsonb_agg(it ->> 'name'), '[]') from jsonb_array_elements(${filesOfComment()}) it) as files
             from portal.client_comments c
             where c.workspace_id = scope.workspace and c.id = $3 and c.author_kind = 'client'`,
      values: [id],
    },
  )
  return found
}

/** Documents of this client that are disputed, and were not answered since. */
export async function disputedOf(database: Knex, scope: Required<Scope>): Promise<ReadonlySet<string>> {
  const rows = await readWithin<{ key: string }>(database, scope, {
    name: 'portal.disputed',
    text: `select distinct c.section || '/' || c.document_id as key from portal.client_comments c
           where c.workspace_id = scope.workspace and c.client_id = scope.client and c.disputed and not exists (
             select from portal.client_comments n
             where n.workspace_id = c.workspace_id and n.client_id = c.client_id and n.section = c.section
               and n.document_id = c.document_id and n.author_kind = 'staff' and n.id > c.id)`,
  })
  return new Set(rows.map(it => it.key))
}
