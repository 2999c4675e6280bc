import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { act } from '../act.ts'
import { query } from '../database.ts'
import { Invalid } from '../errors.ts'
import { read } from '../form.ts'

/** What a comment is about. */
export interface About {
  section: string
  id: string
  number: string
  /** Titles of its lines, in their order. */
  titles: string[]
  /** What they are called here: see `lineNames`. */
  lines: string[]
}

const Said = z.object({
  text: z
    .string('Write what you want to say.')
    .trim()
    .min(1, 'Write what you want to say.')
    .max(4_000, 'This is too long.')
    .transform(it => it.toWellFormed()),
  line: z.string().optional().catch(undefined),
})

/** What a client says about a document of theirs; it is there, with its row of activity, when this resolves. */
export async function say(req: Request<any>, about: About): Promise<void> {
  const { text, line } = read(Said, req)
  if (line && !about.lines.includes(line)) {
    const vague = about.titles.includes(line)
    const wrong = vague
      ? 'Several lines are called like this. Choose one from the list.'
      : 'The line that you ask about is not there any more.'
    throw new Invalid({ text: [wrong] }, req.portal.body)
  }
  const { person, client } = req.portal.customer
  await act(
    req,
    async ({ tx }) => {
      await requireRoom(tx, req)
      await keep(tx, {
        ...{ workspace: req.portal.workspace.id, client, section: about.section, id: about.id, number: about.number },
        ...{ line: line || null, by: 'client', author: person, text },
      })
    },
    () => ({ event: `${about.section}.commented`, subject: { id: about.id, number: about.number } }),
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
  const [sent] = await query<{ minute: number; day: number }>(tx, {
    text: `select count(*) filter (where c.at > portal.now() - interval '1 minute')::int as minute, count(*)::int as day
           from portal.client_comments c
           where c.workspace_id = $1 and c.author_id = $2 and c.author_kind = 'client'
             and c.at > portal.now() - interval '1 day'`,
    values: [workspace.id, customer.person.id],
  })
  if (!sent) return
  const refuse = (sentence: string) => {
    throw new TooManyQuestions({ text: [sentence] }, body)
  }
  if (sent.day >= most.day) refuse('You have asked very many questions today. Send this one tomorrow.')
  if (sent.minute >= most.minute) refuse('You have just sent several questions. Send this one in a minute.')
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
}

/** Within a transaction that has entered the workspace. */
export const keep = (tx: Knex, it: Kept) =>
  query(tx, {
    text: `insert into portal.client_comments (workspace_id, id, client_id, client_name, section, document_id, number, line_title,
             author_kind, author_id, author_name, text)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [
      ...[it.workspace, uuid(), it.client.id, it.client.name, it.section, it.id, it.number, it.line],
      ...[it.by, it.author.id, it.author.name, it.text],
    ],
  })
