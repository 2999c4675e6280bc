import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { documentAt, type MailContext, sendMail } from '../../src/auth/mail-context.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { excerptOf } from '../../src/mail/content.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { keep } from './comments.ts'

/** Questions of clients by document, the newest first; unanswered ones are marked. */
export const showQuestions =
  (database: Knex): RequestHandler<any> =>
  async (req, res) => {
    const { show, before } = Shown.parse(req.query)
    const rows = await readWithin(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.questions',
        text: `select last.id, last.section, last.document_id, last.number, last.client_name as client, last.author_kind = 'client' as waits,
                 (select jsonb_agg(jsonb_build_object('at', c.at, 'line', c.line_title, 'by', c.author_kind, 'name', c.author_name,
                    'text', c.text, 'disputed', c.disputed) order by c.id)
                  from (select * from portal.client_comments c
                        where c.workspace_id = scope.workspace and c.client_id = last.client_id and c.section = last.section
                          and c.document_id = last.document_id order by c.id desc limit 20) c) as comments
               from portal.client_comments last
               where last.workspace_id = scope.workspace and ($3 = 'all' or last.author_kind = 'client')
                 and ($4::uuid is null or last.id < $4::uuid) and not exists (
                   select from portal.client_comments n
                   where n.workspace_id = last.workspace_id and n.client_id = last.client_id and n.section = last.section
                     and n.document_id = last.document_id and n.id > last.id offset 0)
               order by last.id desc limit ${size + 1}`,
        values: [show, before ?? null],
      },
    )
    const next = rows.length > size ? rows[size - 1].id : null
    res.respond('comments/inbox', {
      rows: rows.slice(0, size),
      next,
      show,
      replied: req.query.replied === '',
      of: req.params.id ?? '',
    })
  }

/** The newest question of a person about a document. */
interface Question {
  id: string
  comment: string
  name: string
  text: string
  line: string | null
}

/** Documents on a page. */
const size = 50

const Shown = z.object({
  show: z.enum(['all', 'waiting']).catch('waiting'),
  before: z.uuid().optional().catch(undefined),
})

const Reply = z.object({
  text: z
    .string('Write an answer.')
    .trim()
    .min(1, 'Write an answer.')
    .max(4_000, 'This is too long.')
    .transform(it => it.toWellFormed()),
})

/** Saves an answer in a thread. Mails the people who wrote in it and may still see it. */
export const saveReply =
  ({ database, mailContext }: { database: Knex; mailContext: MailContext | undefined }): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const id = z.uuid().safeParse(req.params.id).data ?? null
    const [about] = await readWithin(
      database,
      { workspace: workspace.id },
      {
        text: `select c.client_id, c.client_name, c.section, c.document_id, c.number from portal.client_comments c
               where c.workspace_id = scope.workspace and c.id = $3`,
        values: [id],
      },
    )
    if (!about) throw new NotFound()
    const { text } = read(Reply, req)
    const { section, number } = about
    const rights = await rightsOf(database, workspace.id)
    const where = { workspace, client: about.client_id, rights }
    const seeing = mailContext ? await req.portal.recipients(where, { section, may: ['see'], on: ['questions'] }) : []
    await within(database, { workspace: workspace.id }, async tx => {
      await keep(tx, {
        ...{ workspace: workspace.id, client: { id: about.client_id, name: about.client_name }, section, number, text },
        ...{ id: about.document_id, line: null, by: 'staff', author: { id: staff?.id ?? '', name: staff?.name ?? '' } },
      })
      await recordEventIn(tx, req, {
        event: `${section}.replied`,
        subject: { id: about.document_id, number },
        actor: { kind: 'staff', id: staff?.id, name: staff?.name, client: about.client_id },
      })
      if (!mailContext) return
      const asked = await query<Question>(tx, {
        text: `select distinct on (c.author_id) c.author_id as id, c.id as comment, c.author_name as name, c.text,
                 c.line_title as line
               from portal.client_comments c
               where c.workspace_id = $1 and c.client_id = $2 and c.section = $3 and c.document_id = $4
                 and c.author_kind = 'client'
               order by c.author_id, c.id desc`,
        values: [workspace.id, about.client_id, section, about.document_id],
      })
      const newest = asked.toSorted((a, b) => (a.comment < b.comment ? 1 : -1))[0]
      for (const person of seeing.filter(it => asked.some(({ id }) => id === it.id)))
        await sendMail(
          mailContext,
          req,
          tx,
          'comments.replied',
          { ...person, person: person.id },
          {
            facts: {
              ...{ staff: staff?.name ?? workspace.name, number, text },
              ...{ question: excerptOf(newest?.text ?? ''), line: newest?.line ?? '' },
              ...(newest && newest.id !== person.id && { asker: newest.name }),
            },
            url: `${documentAt(mailContext, workspace.slug, { client: about.client_id, section, id: about.document_id })}#talk`,
          },
        )
    })
    mailContext?.outbox.wake()
    res.redirect(303, req.portal.url('/questions?show=all&replied'))
  }
