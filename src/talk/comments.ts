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
    ({ tx }) =>
      keep(tx, {
        ...{ workspace: req.portal.workspace.id, client, section: about.section, id: about.id, number: about.number },
        ...{ line: line || null, by: 'client', author: person, text },
      }),
    () => ({ event: `${about.section}.commented`, subject: { id: about.id, number: about.number } }),
  )
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
