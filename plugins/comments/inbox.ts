import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { attach, clientLimits, shownFiles, withAttachments } from '../../src/files/attachments.ts'
import type { ReceivedFile } from '../../src/files/receive.ts'
import { NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { excerptOf } from '../../src/mail/content.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { replyAddress } from './by-mail.ts'
import { filesOfComment, keep, ofComment } from './comments.ts'

/** Questions of clients by document, the newest first; unanswered ones are marked. */
export const showQuestions =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const { show, before } = Shown.parse(req.query)
    const rows = await readWithin(
      database,
      { workspace: req.portal.workspace.id },
      {
        name: 'portal.questions',
        text: `select last.id, last.section, last.document_id, last.number, last.client_name as client, last.author_kind = 'client' as waits,
                 (select jsonb_agg(jsonb_build_object('at', c.at, 'line', c.line_title, 'by', c.author_kind, 'name', c.author_name,
                    'text', c.text, 'disputed', c.disputed, 'files', ${filesOfComment()}) order by c.id)
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
      ...shownFiles(host),
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
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const thread = await threadOf(host.database, req)
    await withAttachments(req, host, files => save(req, host, thread, files))
    coreHostOf(host).mailContext?.outbox.wake()
    host.jobs.wake()
    res.redirect(303, req.portal.url('/questions?show=all&replied'))
  }

interface StaffThread {
  client: { id: string; name: string }
  section: string
  id: string
  number: string
}

/** The thread of a comment. Throws NotFound. */
async function threadOf(database: Knex, { params, portal }: Request<any>): Promise<StaffThread> {
  const [found] = await readWithin<StaffThread>(
    database,
    { workspace: portal.workspace.id },
    {
      text: `select jsonb_build_object('id', c.client_id, 'name', c.client_name) as client, c.section, c.document_id as id, c.number
             from portal.client_comments c where c.workspace_id = scope.workspace and c.id = $3`,
      values: [z.uuid().safeParse(params.id).data ?? null],
    },
  )
  if (!found) throw new NotFound()
  return found
}

async function save(req: Request<any>, host: Host, thread: StaffThread, files: ReceivedFile[]): Promise<void> {
  const { workspace } = req.portal
  const { text } = read(Reply, req)
  const { client, section, id, number } = thread
  const author = { id: req.portal.staff?.id ?? '', name: req.portal.staff?.name ?? '' }
  const [people, { space: most }] = await Promise.all([writersOf(req, host, thread), clientLimits(host, workspace.id)])
  await within(host.database, { workspace: workspace.id }, async tx => {
    const comment = await keep(tx, {
      ...{ workspace: workspace.id, client, section, number, text },
      ...{ id, line: null, by: 'staff', author },
    })
    const by = { kind: 'staff', ...author } as const
    const to = { ...ofComment, id: comment, workspace, client: client.id, by, most, typed: req.portal.body }
    await attach(tx, host, to, files)
    await recordEventIn(tx, req, {
      event: `${section}.replied`,
      subject: { id, number },
      actor: { kind: 'staff', ...author, client: client.id },
    })
    await tellAnswer(tx, req, host, { ...thread, text, files, people })
  })
}

/** Who may still see the thread. */
async function writersOf(req: Request<any>, host: Host, { client, section }: StaffThread): Promise<Recipient[]> {
  const { workspace } = req.portal
  const rights = await rightsOf(host.database, workspace.id)
  const where = { workspace, client: client.id, rights }
  const [readers, askers] = await Promise.all(
    [['see'], ['see', 'comment']].map(may => req.portal.recipients(where, { section, may, on: ['questions'] })),
  )
  return readers!.map(it => ({ ...it, mayAsk: askers!.some(({ id }) => id === it.id) }))
}

type Recipient = Awaited<ReturnType<Request['portal']['recipients']>>[number] & { mayAsk: boolean }

type Answer = StaffThread & { text: string; files: ReceivedFile[]; people: Recipient[] }

/** Tells those who asked in the thread. */
async function tellAnswer(tx: Knex, req: Request<any>, host: Host, it: Answer): Promise<void> {
  const { workspace, staff } = req.portal
  const { client, section, id, number, text, files, people } = it
  const asked = await query<Question>(tx, {
    text: `select distinct on (c.author_id) c.author_id as id, c.id as comment, c.author_name as name, c.text,
             c.line_title as line
           from portal.client_comments c
           where c.workspace_id = $1 and c.client_id = $2 and c.section = $3 and c.document_id = $4
             and c.author_kind = 'client'
           order by c.author_id, c.id desc`,
    values: [workspace.id, client.id, section, id],
  })
  const newest = asked.toSorted((a, b) => (a.comment < b.comment ? 1 : -1))[0]
  const facts = {
    ...{ staff: staff?.name ?? workspace.name, number, text },
    ...{ question: excerptOf(newest?.text ?? ''), line: newest?.line ?? '' },
    ...(files.length && { attached: files.length, files: files.map(one => one.name).join(', ') }),
  }
  const readers = people.filter(one => asked.some(it => it.id === one.id))
  await notifyPeople(tx, host, req, readers, {
    kind: 'comments.replied',
    record: { client: client.id, section, id, rest: '#talk' },
    facts: { staff: facts.staff, number, text: excerptOf(text, 140) },
    async mail(reader) {
      const person = readers.find(it => it.id === reader.id)!
      const of = { workspace: workspace.id, client: client.id, section, id, person }
      const replyTo = person.mayAsk ? await replyAddress(tx, host, of) : undefined
      const asker = newest && newest.id !== person.id && { asker: newest.name }
      return { facts: { ...facts, ...asker, ...(replyTo && { replies: 'yes' }) }, replyTo }
    },
  })
}
