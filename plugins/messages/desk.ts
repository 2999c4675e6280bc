import type { Request, RequestHandler } from 'express'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { pageInCrm } from '../../src/crm/pages.ts'
import { shownFiles } from '../../src/files/attachments.ts'
import { words } from '../../src/http/filter.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { areInCrm } from '../../src/settings/own-records.ts'
import {
  findForStaff,
  inbox,
  inboxCounts,
  type Place,
  quickReplies,
  type Remark,
  remarksOf,
  type StaffThread,
  shows,
  staffDraft,
  staffOf,
} from './desk-reads.ts'
import { usualAnswer, usualText } from './hours.ts'
import { readersBelow, spoken } from './words.ts'

export const placeOf = ({ portal }: Request<any>): Place => ({
  workspace: portal.workspace.id,
  staff: portal.staff?.id ?? '',
})

const Filter = z.object({
  show: z.enum(shows).default('waiting').catch('waiting'),
  search: words.catch(''),
  after: z.string().max(400).optional().catch(undefined),
})

const size = 30

/** The list that stands beside a conversation. */
async function beside(req: Request<any>, host: Host) {
  const asked = Filter.parse(req.query)
  const place = placeOf(req)
  const [page, counts] = await Promise.all([
    inbox(host.database, place, { ...asked, size }),
    inboxCounts(host.database, place, asked.search),
  ])
  return { ...page, counts, asked }
}

/** All conversations of the workspace, none of them chosen. */
export const showInbox =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    if (areInCrm(req, host, 'messages')) return res.respond('messages/elsewhere', {})
    res.respond('messages/inbox', { ...(await beside(req, host)), ...spoken(req), done: req.query.done === '' })
  }

/** Messages on a page at first, and at most. */
const sizes = { first: 50, most: 1_000 }

const Shown = z.object({
  size: z.coerce.number().int().min(1).max(sizes.most).catch(sizes.first),
  /** The id of a quick reply that is to be in the field. */
  reply: z.uuid().optional().catch(undefined),
})

export const showThread =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const { portal, params } = req
    const { size, reply } = Shown.parse(req.query)
    const place = placeOf(req)
    const [thread, list, staff, replies, draft, seconds] = await Promise.all([
      findForStaff(database, place, params.id, size),
      beside(req, host),
      staffOf(database, place.workspace),
      quickReplies(database, place.workspace),
      staffDraft(database, place, params.id),
      usualAnswer(database, place.workspace),
    ])
    const typed =
      portal.problem && z.object({ text: z.string(), note: z.string().optional() }).safeParse(portal.body).data
    const chosen = replies.find(it => it.id === reply)?.text
    res.respond('messages/thread', {
      ...{ ...list, thread, staffOfInbox: withMe(req, staff), replies, messageId: uuid() },
      ...{ days: daysOf(req, thread), more: (thread.messages[0]?.seq ?? 1) > 1 && size < sizes.most },
      ...{ older: Math.min(size * 3, sizes.most), usually: usualText(portal, seconds), ...shownFiles(host) },
      text: typed?.text ?? [draft.text, chosen].filter(Boolean).join('\n\n'),
      note: typed ? typed.note !== undefined : draft.note,
      aboutAddress: aboutAddress(host, req, thread),
      readers: readersOf(thread),
      ...spoken(req),
      done: ['sent', 'noted', 'done', 'handed'].find(it => req.query[it] !== undefined),
    })
  }

/** Which of the client's people have read what staff wrote. */
const readersOf = ({ messages, participants }: StaffThread) =>
  readersBelow(
    messages.map(it => ({ seq: it.seq, mine: it.by === 'staff' })),
    participants.filter(it => it.kind === 'client'),
  )

/** Whoever looks at the page can take the conversation, also for the first time. */
function withMe({ portal: { staff } }: Request<any>, all: { id: string; name: string }[]) {
  if (!staff || all.some(it => it.id === staff.id)) return all
  return [{ id: staff.id, name: staff.name }, ...all]
}

/** What it is about, at its page in the CRM. */
function aboutAddress(host: Host, { portal: { workspace } }: Request<any>, { about }: StaffThread): string | undefined {
  return about ? pageInCrm(coreHostOf(host).crm, { kind: about.kind, id: about.id, workspace }) : undefined
}

function daysOf({ portal }: Request<any>, thread: StaffThread) {
  const days = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: portal.zone })
  const { readTo, seq, messages } = thread
  const first = messages.find(it => it.seq > readTo && !it.own)?.seq
  const groups = Map.groupBy<string, Remark>(remarksOf(thread), it => days.format(new Date(it.at)))
  return {
    groups: [...groups].map(([day, items]) => ({ day, items })),
    newFrom: readTo > 0 && readTo < seq ? first : undefined,
  }
}
