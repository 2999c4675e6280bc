import type { Request, RequestHandler, Response } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { attach, clientLimits, withAttachments } from '../../src/files/attachments.ts'
import type { ReceivedFile } from '../../src/files/receive.ts'
import { Conflict, Invalid, NotFound } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { type Event, recordEventIn } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import { tellChange, tellSignal } from '../../src/platform/events.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { runStaffAction } from '../../src/settings/plugin-actions.ts'
import { placeOf } from './desk.ts'
import { staffOf } from './desk-reads.ts'
import { queueTelling } from './jobs.ts'
import { keepMessage, noteReader } from './keep.ts'
import { Drafted, Reading, Sending } from './pages.ts'
import type { Stored } from './port.ts'
import { ofMessage, uuidOf } from './store.ts'

/** What staff write: for the client, or a note among themselves. */
const Written = Sending.extend({ note: z.literal('on').optional().catch(undefined) })

/** The conversation of a request, which client's it is, and the state that the form was made for. */
export interface Thread {
  id: string
  client: string
  clientName: string
  title: string
  staff: string | null
  /** The number of its newest message. */
  seq: number
}

/** Throws NotFound, also for another workspace's. */
export async function threadOf(req: Request<any>): Promise<Thread> {
  const [thread] = await req.portal.inWorkspace(tx =>
    query<Thread>(tx, {
      name: 'portal.thread-for-staff',
      text: `select t.id::text as id, t.client_id as client, t.client_name as "clientName", t.title, t.staff_id as staff,
               t.last_seq as seq
             from portal.client_message_threads t where t.workspace_id = $1 and t.id = $2`,
      values: [req.portal.workspace.id, uuidOf(req.params.id)],
    }),
  )
  if (!thread) throw new NotFound()
  return thread
}

export const author = ({ portal: { staff, workspace } }: Request<any>) =>
  ({ kind: 'staff', id: staff?.id ?? '', name: staff?.name ?? workspace.name }) as const

/** Sends an answer, or keeps a note that no client ever sees. */
export const saveWritten =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const thread = await threadOf(req)
    const writing = withAttachments(req, host, async files => {
      const typed = read(Written, req)
      if (typed.note) return keepNote(req, thread, typed, files)
      if (!typed.text && !files.length) throw new Invalid({ text: ['Write a message.'] }, req.portal.body)
      await send(req, host, thread, { ...typed, files })
      return 'sent'
    })
    answer(req, res, thread.id, await once(writing, 'sent'))
  }

interface Answer {
  id: string
  text: string
  files: ReceivedFile[]
}

/** Stores an answer with its files; whoever answers first has the conversation. */
async function send(req: Request<any>, host: Host, thread: Thread, it: Answer): Promise<Stored> {
  const { workspace } = req.portal
  const { space: most } = await clientLimits(host, workspace.id)
  const by = author(req)
  const of = { workspace: workspace.id, client: thread.client }
  return runStaffAction(
    req,
    async tx => {
      const stored = await keepMessage(tx, { ...of, thread: thread.id, id: it.id, by, text: it.text })
      if (stored.repeated) throw new Repeated()
      const to = { ...ofMessage, id: it.id, workspace, client: thread.client, by, most, typed: req.portal.body }
      await attach(tx, host, to, it.files)
      await query(tx, {
        text: `update portal.client_message_threads set staff_id = $3, staff_name = $4
               where workspace_id = $1 and id = $2 and staff_id is null`,
        values: [workspace.id, thread.id, by.id, by.name],
      })
      await noteStaff(tx, workspace.id, by)
      await queueTelling(tx, host, { workspace, client: thread.client, thread: thread.id })
      return stored
    },
    () => ({
      event: 'messages.answered',
      client: thread.client,
      subject: { id: thread.id, number: thread.title, message: it.id },
    }),
  )
}

/** The same message was stored before: this time nothing is. */
export class Repeated extends Error {}

/** The second time, the files that came with it are thrown away, and the answer is that of the first time. */
export const once = <T>(storing: Promise<T>, before: T): Promise<T> =>
  storing.catch(error => {
    if (error instanceof Repeated) return before
    throw error
  })

async function keepNote(
  req: Request<any>,
  thread: Thread,
  { id, text }: z.infer<typeof Written>,
  files: ReceivedFile[],
): Promise<'noted'> {
  const { workspace, body } = req.portal
  if (files.length)
    throw new Invalid({ files: ['A note has no files. Send them to the client, or leave them out.'] }, body)
  if (!text) throw new Invalid({ text: ['Write a note.'] }, body)
  const by = author(req)
  await req.portal.inWorkspace(async tx => {
    await query(tx, {
      text: `insert into portal.client_message_notes (workspace_id, thread_id, id, after_seq, staff_id, staff_name, text)
             select workspace_id, id, $3, last_seq, $4, $5, $6 from portal.client_message_threads
             where workspace_id = $1 and id = $2 on conflict (workspace_id, id) do nothing`,
      values: [workspace.id, thread.id, id, by.id, by.name, text],
    })
    await dropDraft(tx, workspace.id, by.id, thread.id)
    await noteStaff(tx, workspace.id, by)
    await tellStaff(tx, req, thread)
  })
  return 'noted'
}

/** Open pages of staff are told, and those of clients are not. */
const tellStaff = (tx: Knex, { portal: { workspace } }: Request<any>, { client, id }: Pick<Thread, 'client' | 'id'>) =>
  tellChange(tx, { workspace: workspace.id, client, section: 'messages', id, to: 'staff' })

/** Records what staff arrange among themselves: no client has it in their activity, and their pages are not told. */
async function recordInternally(tx: Knex, req: Request<any>, thread: Thread, { event, subject }: Event): Promise<void> {
  const { id, name } = author(req)
  const actor = { kind: 'staff', id, name } as const
  await recordEventIn(tx, req, { event, actor, subject: { id: thread.id, number: thread.title, ...subject } })
  await tellStaff(tx, req, thread)
}

const dropDraft = (tx: Knex, workspace: string, staff: string, thread: string) =>
  query(tx, {
    text: `delete from portal.client_message_staff_drafts where workspace_id = $1 and staff_id = $2 and thread_id = $3`,
    values: [workspace, staff, thread],
  })

/** A script that sent it shows the page again itself. */
function answer({ portal }: Request<any>, res: Response, thread: string, said: string) {
  if (portal.wants === 'fragment') res.status(204).end()
  else res.redirect(303, portal.url(`/inbox/${thread}?show=all&${said}#end`))
}

/** Whom conversations can be handed to. */
export const noteStaff = (tx: Knex, workspace: string, { id, name }: { id: string; name: string }) =>
  query(tx, {
    name: 'portal.note-inbox-staff',
    text: `insert into portal.client_message_staff as s (workspace_id, staff_id, name) values ($1, $2, $3)
           on conflict (workspace_id, staff_id) do update set name = excluded.name, at = portal.now()
             where s.name <> excluded.name`,
    values: [workspace, id, name],
  })

const Closing = z.object({ seq: z.coerce.number().int().min(0).max(2_000_000_000), waits: z.enum(['on', 'off']) })

/** Takes a conversation off those that wait, or puts it back. Throws Conflict where the client has written since. */
export const saveClosing: RequestHandler<any> = async (req, res) => {
  const thread = await threadOf(req)
  const { seq, waits } = read(Closing, req)
  await req.portal.inWorkspace(async tx => {
    const rows = await query(tx, {
      text: `update portal.client_message_threads set waiting_since = case when $4 then coalesce(waiting_since, portal.now()) end
               where workspace_id = $1 and id = $2 and ($4 or last_seq = $3) returning id`,
      values: [req.portal.workspace.id, thread.id, seq, waits === 'on'],
    })
    if (!rows.length) throw new Conflict()
    await recordInternally(tx, req, thread, { event: waits === 'on' ? 'messages.opened' : 'messages.closed' })
  })
  res.redirect(303, req.portal.url(waits === 'on' ? `/inbox/${thread.id}` : '/inbox?done'))
}

const HandingOver = z.object({
  staff: z.string().max(300),
  /** Who had it when the page was made. */
  before: z.string().max(300),
})

/** Hands a conversation to a colleague, or to nobody. Throws Conflict where somebody else did so meanwhile. */
export const saveHandOver =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const thread = await threadOf(req)
    const { staff, before } = read(HandingOver, req)
    const { workspace } = req.portal
    const me = author(req)
    const known = [me, ...(await staffOf(host.database, workspace.id))]
    const to = staff === '' ? undefined : known.find(it => it.id === staff)
    if (staff !== '' && !to) throw new Invalid({ staff: ['Choose one of the list.'] }, req.portal.body)
    await req.portal.inWorkspace(async tx => {
      const rows = await query(tx, {
        text: `update portal.client_message_threads set staff_id = $3, staff_name = $4
                 where workspace_id = $1 and id = $2 and coalesce(staff_id, '') = $5 returning id`,
        values: [workspace.id, thread.id, to?.id ?? null, to?.name ?? null, before],
      })
      if (!rows.length) throw new Conflict()
      await noteStaff(tx, workspace.id, me)
      const subject = { whom: to ? 'one' : 'none', to: to?.name ?? '' }
      await recordInternally(tx, req, thread, { event: 'messages.handed', subject })
    })
    res.redirect(303, req.portal.url(`/inbox/${thread.id}?show=all&handed`))
  }

/** Says that this member of staff has read so far: the client sees it. */
export const saveStaffRead: RequestHandler<any> = async (req, res) => {
  const thread = await threadOf(req)
  const { seq } = read(Reading, req)
  const { workspace } = req.portal
  const by = author(req)
  await req.portal.inWorkspace(async tx => {
    const [last] = await query<{ seq: number }>(tx, {
      text: 'select last_seq as seq from portal.client_message_threads where workspace_id = $1 and id = $2',
      values: [workspace.id, thread.id],
    })
    const readTo = Math.min(seq, last?.seq ?? 0)
    const of = { workspace: workspace.id, client: thread.client, thread: thread.id }
    await noteStaff(tx, workspace.id, by)
    if (await noteReader(tx, { ...of, by, readTo, follows: true }))
      await tellChange(tx, { ...of, section: 'messages', id: thread.id })
  })
  if (req.portal.wants === 'page') res.redirect(303, req.portal.url(`/inbox/${thread.id}?show=all`))
  else res.status(204).end()
}

export const saveStaffTyping =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id, client } = await threadOf(req)
    const { workspace } = req.portal
    await tellSignal(host.database, { workspace: workspace.id, client, section: 'messages', id, by: author(req) })
    res.status(204).end()
  }

const StaffDrafted = Drafted.pick({ text: true }).extend({ note: z.literal('on').optional().catch(undefined) })

export const saveStaffDraft: RequestHandler<any> = async (req, res) => {
  const thread = await threadOf(req)
  const { text, note } = read(StaffDrafted, req)
  const { workspace, staff } = placeOf(req)
  await req.portal.inWorkspace(tx =>
    text.trim()
      ? query(tx, {
          text: `insert into portal.client_message_staff_drafts (workspace_id, staff_id, thread_id, text, note)
                 values ($1, $2, $3, $4, $5) on conflict (workspace_id, staff_id, thread_id)
                   do update set text = excluded.text, note = excluded.note, at = portal.now()`,
          values: [workspace, staff, thread.id, text, note !== undefined],
        })
      : dropDraft(tx, workspace, staff, thread.id),
  )
  if (req.portal.wants === 'page') res.redirect(303, req.portal.url(`/inbox/${thread.id}?show=all`))
  else res.status(204).end()
}
