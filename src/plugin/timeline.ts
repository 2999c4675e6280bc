import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { words } from '../http/filter.ts'
import { type ActivityFilter, countsByDay, type Entry, entries, recordEvent } from '../platform/activity.ts'
import { sendCsv } from '../platform/csv.ts'
import { dayBegins, daysLater } from '../platform/dates.ts'
import { dateIn } from '../platform/i18n.ts'
import { type EventKind, eventKinds } from './parts.ts'

const date = z.iso
  .date()
  .refine(it => it > '2000' && it < '2100')
  .optional()
  .catch(undefined)

/** The sentence and the kind of each event. */
export interface Events {
  sentences: Record<string, string>
  kinds: Record<string, EventKind>
}

/** What an address asks of the timeline; whatever it says, there is something to show. Dates are the reader's. */
const Filter = z.object({
  kind: z.enum(eventKinds).optional().catch(undefined),
  name: words.catch(''),
  from: date,
  until: date,
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .catch(undefined),
})

const pageSize = 50
const usualDays = 30
const mostDays = 366
const csvPage = 1_000

/** Every event of the workspace, for its admins: filtered, counted by day, page by page. */
export const showTimeline =
  (database: Knex, { sentences, kinds }: Events): RequestHandler =>
  async (req, res) => {
    const { filter, sought, zone } = askedOf(req, kinds)
    const scope = { workspace: req.portal.workspace.id }
    const [found, counts] = await Promise.all([
      entries(database, scope, { ...sought, before: filter.before, size: pageSize + 1 }),
      countsByDay(database, scope, sought, zone),
    ])
    res.respond('settings/activity', {
      ...pageOf(found),
      filter,
      days: everyDay(filter.from, filter.until, counts),
      sentences,
    })
  }

/** The same as CSV, newest first, all of it, sent as it is read. That it was taken away is an event too. */
export const exportTimeline =
  (database: Knex, { sentences, kinds }: Events): RequestHandler =>
  async (req, res) => {
    const { filter, sought, zone } = askedOf(req, kinds)
    const { workspace, sentence } = req.portal
    const scope = { workspace: workspace.id }
    const read = (before?: string) => entries(database, scope, { ...sought, before, size: csvPage })
    const [first, counts] = await Promise.all([read(), countsByDay(database, scope, sought, zone)])
    const rows = counts.reduce((sum, it) => sum + it.count, 0)
    await recordEvent(req, { event: 'activity.downloaded', subject: { rows } })
    res.type('text/csv').attachment(`${workspace.slug}-activity-${filter.from}-${filter.until}.csv`)
    res.set('Cache-Control', 'private, no-store')
    const rowOf = (it: Entry) => [
      it.at,
      it.event,
      sentence(sentences[it.event] ?? it.event, it.subject),
      it.actor_kind,
      it.actor_name,
      it.client_id,
      it.address,
      it.agent,
    ]
    await sendCsv(res, heading, rowsOf(first, read, rowOf))
  }

async function* rowsOf(first: Entry[], read: (before: string) => Promise<Entry[]>, rowOf: (it: Entry) => unknown[]) {
  for (let page = first; page.length; ) {
    yield page.map(rowOf)
    const last = page.at(-1)!
    page = page.length < csvPage ? [] : await read(last.id)
  }
}

/** What the asking person did; for an admin of the client, what all of its people did. */
export const showOwn =
  (database: Knex, sentences: Record<string, string>): RequestHandler =>
  async (req, res) => {
    const { before } = Filter.parse(req.query)
    const { workspace, customer } = req.portal
    const actor = customer.role === 'admin' ? '' : customer.person.id
    const scope = { workspace: workspace.id, client: customer.client.id }
    const found = await entries(database, scope, { actor, before, size: pageSize + 1 })
    res.respond('activity', { ...pageOf(found), sentences })
  }

const heading = ['at', 'event', 'sentence', 'actor_kind', 'actor', 'client', 'address', 'agent']

function askedOf(req: Request, kinds: Events['kinds']) {
  const asked = Filter.parse(req.query)
  const zone = req.portal.zone
  const until = asked.until ?? dateIn(zone, req.portal.now)
  const wanted = asked.from && asked.from <= until ? asked.from : daysLater(until, 1 - usualDays)
  const [from] = [wanted, daysLater(until, 1 - mostDays)].sort().toReversed()
  const filter = { ...asked, from: from as string, until }
  const sought: ActivityFilter = {
    events: asked.kind && Object.keys(kinds).filter(it => kinds[it] === asked.kind),
    name: asked.name,
    from: dayBegins(filter.from, zone),
    until: dayBegins(daysLater(until, 1), zone),
  }
  return { filter, sought, zone }
}

function pageOf(found: Entry[]) {
  const items = found.slice(0, pageSize)
  return { items, next: found.length > pageSize ? items.at(-1)?.id : undefined }
}

function everyDay(from: string, until: string, counts: { day: string; count: number }[]) {
  const known = new Map(counts.map(it => [it.day, it.count]))
  const days = []
  for (let day = from; day <= until; day = daysLater(day, 1)) days.push({ day, count: known.get(day) ?? 0 })
  return days
}
