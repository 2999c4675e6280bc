import type { Request, RequestHandler, Response } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { attach, clientLimits, shownFiles, withAttachments } from '../../src/files/attachments.ts'
import type { ReceivedFile } from '../../src/files/receive.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { words } from '../../src/http/filter.ts'
import { read } from '../../src/http/forms.ts'
import { query, within } from '../../src/platform/database.ts'
import { tellChange, tellSignal } from '../../src/platform/events.ts'
import { runAction } from '../../src/plugin/action.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { isStore } from '../../src/plugin/stores.ts'
import { draftOf, saveDraft } from './drafts.ts'
import { availabilityOf } from './hours.ts'
import { queueTelling } from './jobs.ts'
import { type Conversation, type NewMessage, type Stored, statuses } from './port.ts'
import { ofMessage } from './store.ts'
import { readersBelow, spoken } from './words.ts'

export const Filter = z.object({
  status: z.enum(statuses).default('all').catch('all'),
  search: words
    .transform(it => it || undefined)
    .optional()
    .catch(undefined),
  after: z.string().max(4_000).optional().catch(undefined),
  size: z.coerce.number().int().min(1).max(100).catch(30),
})

/** Messages on a page at first, and at most. */
const sizes = { first: 50, most: 1_000 }

const Shown = z.object({ size: z.coerce.number().int().min(1).max(sizes.most).catch(sizes.first) })

/** All conversations, none of them chosen. */
export const showList =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const [list, availability] = await Promise.all([beside(req), availabilityOf(host, req)])
    res.respond('messages/list', { ...list, ...availability, ...spoken(req) })
  }

/** The list that stands beside a conversation. */
async function beside(req: Request<any>) {
  const filter = Filter.parse(req.query)
  const { messages } = req.portal.crm
  const [page, overview, found] = await Promise.all([
    messages.list(filter),
    messages.overview(),
    filter.search ? messages.overview(filter.search) : undefined,
  ])
  return { ...page, filter, overview, counts: found ?? overview }
}

export const showConversation =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { params, portal } = req
    const { size } = Shown.parse(req.query)
    const { messages, customer, wants } = { ...portal.crm, ...portal }
    const [conversation, draft, availability, list] = await Promise.all([
      messages.find(params.id, size),
      draftOf(host.database, customer, params.id),
      availabilityOf(host, req),
      wants === 'json' ? undefined : beside(req),
    ])
    const typed = portal.problem && z.object({ text: z.string() }).safeParse(portal.body).data
    res.respond('messages/show', {
      ...{ conversation, ...list, ...availability, messageId: uuid(), days: daysOf(req, conversation) },
      ...{
        text: typed?.text ?? keptText(portal.keptFields) ?? draft.text,
        older: conversation.more && size < sizes.most ? olderThan(size) : undefined,
      },
      ...{
        readers: readersOf(conversation),
        mails: portal.mailContext !== undefined,
        ...filesHere(req, host),
        ...spoken(req),
      },
    })
  }

/** What was being sent when the session had ended. */
const keptText = (kept: { text?: unknown } | undefined) => (typeof kept?.text === 'string' ? kept.text : undefined)

const olderThan = (size: number) => Math.min(size * 3, sizes.most)

/** Whether files can be attached here: the CRM's own conversations take none. */
const filesHere = ({ portal }: Request<any>, host: Host) => {
  const { attachable, ...rest } = shownFiles(host)
  return { ...rest, attachable: attachable && isStore(portal.crm.messages) }
}

/** The messages of each day in the reader's time zone, and before which of them a line says that they are new. */
function daysOf({ portal }: Request<any>, { messages, readTo, seq }: Conversation) {
  const days = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: portal.zone })
  const first = messages.find(it => it.seq > readTo && !it.own)?.seq
  return {
    groups: [...Map.groupBy(messages, it => days.format(new Date(it.at)))].map(([day, items]) => ({ day, items })),
    newFrom: readTo > 0 && readTo < seq ? first : undefined,
  }
}

const readersOf = ({ messages, participants }: Conversation) =>
  readersBelow(
    messages.map(it => ({ seq: it.seq, mine: it.own })),
    participants.filter(it => !it.own),
  )

const Asked = z.object({
  about: z
    .string()
    .max(300)
    .regex(/^[a-z][a-z0-9-]*\/.+$/)
    .optional()
    .catch(undefined),
})

/** The form of a new conversation. Where there is one about the same record already, that one. */
export const showNew =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { portal } = req
    const about = await aboutOf(req, host, Asked.parse(req.query).about)
    const there = about && (await portal.crm.messages.about(about.kind, about.id))
    if (there && req.method === 'GET') return res.redirect(303, portal.url(`/messages/${encodeURIComponent(there)}`))
    const [draft, list, availability] = await Promise.all([
      about ? { title: '', text: '' } : draftOf(host.database, portal.customer, undefined),
      beside(req),
      availabilityOf(host, req),
    ])
    const sent =
      portal.problem && z.object({ title: z.string(), text: z.string() }).partial().safeParse(portal.body).data
    res.respond('messages/new', {
      ...{ ...list, ...availability, about, messageId: uuid(), ...filesHere(req, host), ...spoken(req) },
      form: { title: about?.title ?? '', ...nonEmpty(draft), ...sent },
    })
  }

const nonEmpty = (it: object) => Object.fromEntries(Object.entries(it).filter(([, value]) => value))

/** The record that a conversation is to be about. Throws NotFound, also for another client's. */
async function aboutOf({ portal }: Request<any>, host: Host, asked: string | undefined) {
  const [kind, id] = asked?.split(/\/(.*)/s) ?? []
  if (!kind || !id) return undefined
  const plugin = host.plugins.find(it => it.name === kind && it.subject)
  if (
    !plugin?.subject ||
    kind === 'messages' ||
    !(kind in portal.crm) ||
    !portal.on(kind) ||
    !portal.may(`${kind}.see`)
  )
    throw new NotFound()
  const { number, title } = await plugin.subject.find(portal.crm, id, portal)
  return { kind, id, number, title: number === title ? title : `${number}: ${title}`.slice(0, mostTitle) }
}

const mostTitle = 150
const id = z.uuid().catch(() => uuid())
const text = z
  .string('Write a message.')
  // Forms end each line with two characters (HTML, 4.10.21.4), which count as one.
  .transform(it => it.replace(/\r\n?/g, '\n').trim().toWellFormed())
  .pipe(z.string().max(10_000, 'This is too long: 10,000 characters at most.'))

export const Sending = z.object({ id, text })
const title = z
  .string('Give it a subject.')
  .transform(it => it.replace(/\s+/g, ' ').trim().toWellFormed())
  .pipe(z.string().min(1, 'Give it a subject.').max(mostTitle, 'This is too long: 150 characters at most.'))

export const Starting = Sending.extend({ title, about: Asked.shape.about })

type Files = { files: ReceivedFile[] }

export const saveNew =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const stored = await once(
      receive(req, host, async files => {
        const typed = read(Starting, req)
        requireContent(req, typed.text, files)
        const about = await aboutOf(req, host, typed.about)
        const sent = { id: typed.id, text: typed.text, title: typed.title, files }
        return store(req, host, sent, crm => crm.start({ ...sent, ...(about && { about: pick(about) }) }))
      }),
    )
    await saveDraft(host.database, req.portal.customer, undefined, { title: '', text: '' })
    answer(req, res, stored)
  }

const pick = ({ kind, id, number }: { kind: string; id: string; number: string }) => ({ kind, id, number })

export const saveMessage =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    await req.portal.crm.messages.find(req.params.id, 1)
    const stored = await once(
      receive(req, host, async files => {
        const typed = read(Sending, req)
        requireContent(req, typed.text, files)
        return store(req, host, { ...typed, files }, crm => crm.send(req.params.id, typed))
      }),
    )
    answer(req, res, stored)
  }

/** Reads the form with its files, of the kinds that clients may send. */
async function receive<T>(req: Request<any>, host: Host, keep: (files: ReceivedFile[]) => Promise<T>): Promise<T> {
  const { kinds } = await clientLimits(host, req.portal.workspace.id)
  return withAttachments(req, host, keep, kinds)
}

function requireContent({ portal }: Request<any>, text: string, files: ReceivedFile[]) {
  if (files.length && !isStore(portal.crm.messages))
    throw new Invalid({ files: ['Files can’t be attached here.'] }, portal.body)
  if (!text && !files.length) throw new Invalid({ text: ['Write a message.'] }, portal.body)
}

type Port = Request['portal']['crm']['messages']

/** Stores a message with its files, its entry in the activity, and the job that tells others: all of it or nothing. */
async function store(
  req: Request<any>,
  host: Host,
  message: NewMessage & Files,
  send: (port: Port) => Promise<Stored>,
): Promise<Stored> {
  const { customer, body } = req.portal
  const { workspace, client, person } = customer
  const { space: most } = await clientLimits(host, workspace.id)
  return runAction(
    req,
    async ({ tx, crm }) => {
      if (!crm.messages) throw new NotFound()
      const stored = await send(crm.messages)
      if (stored.repeated) throw new Repeated(stored)
      await requireRoom(tx, req)
      const by = { kind: 'client', id: person.id, name: person.name } as const
      const to = { ...ofMessage, id: message.id, workspace, client: client.id, by, most, typed: body }
      await attach(tx, host, to, message.files)
      await queueTelling(tx, host, { workspace, client: client.id, thread: stored.thread })
      return stored
    },
    ({ thread, title, seq }) => ({
      event: seq === 1 ? 'messages.begun' : 'messages.written',
      subject: { id: thread, number: title, message: message.id },
    }),
  )
}

/** The same message was stored before: this time nothing is. */
class Repeated extends Error {
  stored: Stored

  constructor(stored: Stored) {
    super()
    this.stored = stored
  }
}

const once = (storing: Promise<Stored>): Promise<Stored> =>
  storing.catch(error => {
    if (error instanceof Repeated) return error.stored
    throw error
  })

/** How many messages one person may send within a minute, and within a day. */
const most = { minute: 30, day: 1_000 }

class TooManyMessages extends Invalid {
  status = 429
  code = 'too-many-messages'
}

/** Throws TooManyMessages, which keeps what was typed. */
async function requireRoom(tx: Knex, { portal: { customer, body } }: Request<any>) {
  const { workspace, client, person } = customer
  if (await hasRoom(tx, { workspace: workspace.id, client: client.id, person: person.id })) return
  throw new TooManyMessages({ text: ['You’ve sent many messages in a row. Send this one in a minute.'] }, body)
}

/** Whether a person has not sent too much; what they have just sent counts. */
export async function hasRoom(tx: Knex, it: { workspace: string; client: string; person: string }): Promise<boolean> {
  const [sent] = await query<{ minute: number; day: number }>(tx, {
    name: 'portal.messages-sent',
    text: `select count(*) filter (where m.at > portal.now() - interval '1 minute')::int as minute, count(*)::int as day
           from portal.client_messages m
           where m.workspace_id = $1 and m.client_id = $2 and m.author_id = $3 and m.at > portal.now() - interval '1 day'`,
    values: [it.workspace, it.client, it.person],
  })
  return sent !== undefined && sent.minute <= most.minute && sent.day <= most.day
}

/** A script that sent it shows the page again itself. */
function answer({ portal }: Request<any>, res: Response, { thread, seq }: Stored) {
  if (portal.wants === 'json') res.status(201).respond('messages/sent', { id: thread, seq })
  else if (portal.wants === 'fragment') res.status(204).end()
  else res.redirect(303, `${portal.url(`/messages/${encodeURIComponent(thread)}`)}?sent#end`)
}

export const Reading = z.object({ seq: z.coerce.number().int().min(1).max(2_000_000_000) })

/** Says that the reader has read so far: others see it. */
export const saveRead =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, client } = req.portal.customer
    const { id } = req.params
    await req.portal.crm.messages.find(id, 1)
    const { seq } = read(Reading, req)
    await quietly(req, host, async (tx, messages) => {
      if (await messages.markRead?.(id, seq))
        await tellChange(tx, { workspace: workspace.id, client: client.id, section: 'messages', id })
    })
    done(req, res, `/messages/${encodeURIComponent(id)}`)
  }

/** Does what leaves no entry in the activity, in a transaction of its own. */
const quietly = <T>(
  { portal: { customer } }: Request<any>,
  host: Host,
  work: (tx: Knex, messages: Port) => Promise<T>,
) =>
  within(host.database, { workspace: customer.workspace.id, client: customer.client.id }, tx => {
    const { messages } = coreHostOf(host).crm.connect(customer, undefined, tx)
    if (!messages) throw new NotFound()
    return work(tx, messages)
  })

/** A script is answered with nothing, and a form with its page. */
function done({ portal }: Request<any>, res: Response, path: string) {
  if (portal.wants === 'page') res.redirect(303, portal.url(path))
  else res.status(204).end()
}

/** Tells others who have the page open that somebody is writing. Nothing of it is kept. */
export const saveTyping =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, client, person } = req.portal.customer
    const { id } = await req.portal.crm.messages.find(req.params.id, 1)
    const by = { kind: 'client', id: person.id, name: person.name } as const
    await tellSignal(host.database, { workspace: workspace.id, client: client.id, section: 'messages', id, by })
    res.status(204).end()
  }

export const Drafted = z.object({
  title: z.string().max(mostTitle).catch(''),
  text: z.string().max(10_000).catch(''),
})

/** Keeps what somebody is writing, for whichever device they go on with. */
export const saveDrafted =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id } = req.params
    if (id !== undefined) await req.portal.crm.messages.find(id, 1)
    await saveDraft(host.database, req.portal.customer, id, read(Drafted, req))
    done(req, res, id === undefined ? '/messages/new' : `/messages/${encodeURIComponent(id)}`)
  }

export const Following = z.object({ on: z.enum(['on', 'off']) })

export const saveFollowing =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { id } = req.params
    await req.portal.crm.messages.find(id, 1)
    const { on } = read(Following, req)
    await quietly(req, host, (_tx, messages) => messages.follow?.(id, on === 'on') ?? Promise.resolve())
    res.redirect(303, req.portal.url(`/messages/${encodeURIComponent(id)}`))
  }
