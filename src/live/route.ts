import type { Request, RequestHandler, Response } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { storedId } from '../auth/sessions.ts'
import { NotFound } from '../http/errors.ts'
import { readWithin } from '../platform/database.ts'
import { toldEvents } from '../platform/events.ts'
import type { Section } from '../plugin/plugin.ts'
import type { Hub } from './hub.ts'
import type { Subscriber } from './stream.ts'

interface Parts {
  database: Knex
  hub: Hub
  sections: Section[]
}

/** `?of=requests&of=requests/12&since=1700000000000`: what the page shows, and when it was made. */
const Asked = z.object({
  of: z.preprocess(
    it => [it].flat(),
    z
      .array(z.string().regex(/^[a-z][a-z0-9-]{1,40}(\/[^\s]{1,200})?$/))
      .min(1)
      .max(8),
  ),
  since: z.coerce.number().int().min(0).max(8e15).optional().catch(undefined),
})

/**
 * Seconds after which a stream ends at the latest, so that everything is judged anew: within a minute where the session
 * is not ours.
 */
const lasts = { session: 360, staff: 59 }

/** Ends are spread, so that not all come back at once. */
const endOf = (seconds: number) => Date.now() + seconds * 1_000 * (1 - Math.random() / 6)

/**
 * Tells an open page that what it shows has changed, as Server-Sent Events. Nothing of what has changed is in them: the
 * page asks for it again, by its own address.
 */
export const showLive =
  ({ database, hub, sections }: Parts): RequestHandler =>
  async (req, res) => {
    const asked = Asked.safeParse(req.query)
    if (!asked.success || req.portal.bearer) throw new NotFound()
    const topics = await topicsOf(req, sections, [...new Set(asked.data.of)])
    const { workspace, client, person } = req.portal.customer
    const { viewing, sessionRequest } = req.portal
    const subscriber = {
      ...{ slug: workspace.slug, workspace: workspace.id, client: client.id, person: person.id, topics },
      session: viewing ? undefined : storedId(sessionRequest.sessionID),
      until: endOf(viewing ? lasts.staff : lasts.session),
    }
    await listen(req, res, {
      hub,
      subscriber,
      missed: () => missed(req, { database, sections }, topics, asked.data.since),
    })
  }

/** The same for a page of the settings, of all clients of the workspace. */
export const showStaffLive =
  ({ database, hub, sections }: Parts): RequestHandler =>
  async (req, res) => {
    const asked = Asked.safeParse(req.query)
    const { staff, workspace } = req.portal
    if (!asked.success || !staff) throw new NotFound()
    const topics = [...new Set(asked.data.of)].filter(it => findLive(sections, it))
    const subscriber = {
      ...{ slug: workspace.slug, workspace: workspace.id, client: undefined, person: staff.id, topics },
      ...{ session: undefined, until: endOf(lasts.staff) },
    }
    const { since } = asked.data
    await listen(req, res, { hub, subscriber, missed: () => missedByStaff(req, database, topics, since) })
  }

interface Listening {
  hub: Hub
  subscriber: Subscriber
  missed: () => Promise<string[]>
}

async function listen(req: Request, res: Response, { hub, subscriber, missed }: Listening): Promise<void> {
  if (!subscriber.topics.length) throw new NotFound()
  if (req.method === 'HEAD') return void res.type('text/event-stream').end()
  req.portal.answersOn = true
  await hub.open(res, subscriber, missed)
}

/** The section of a topic, if its pages are told of its changes. */
const findLive = (sections: Section[], topic: string) =>
  sections.find(it => it.live && it.name === topic.split('/', 1)[0])

/** Of these topics those that this person may see. */
async function topicsOf({ portal }: Request, sections: Section[], all: string[]): Promise<string[]> {
  const { crm, may, on, customer } = portal
  const seen = await Promise.all(
    all.map(async topic => {
      const [name = '', id] = topic.split(/\/(.*)/s)
      const section = findLive(sections, topic)
      if (!section || !(name in crm) || !on(name) || !may(`${name}.see`)) return []
      if (section.live === 'person') return id === customer.person.id ? [topic] : []
      const find = id !== undefined && section.subject?.find
      if (!find) return [topic]
      return find(crm, id, portal).then(
        () => [topic],
        error => {
          if (error instanceof NotFound) return []
          throw error
        },
      )
    }),
  )
  return seen.flat()
}

/** Of these topics those that others changed between the page and its stream. */
async function missed(
  req: Request,
  { database, sections }: Pick<Parts, 'database' | 'sections'>,
  topics: string[],
  since: number | undefined,
): Promise<string[]> {
  if (since === undefined) return []
  const { workspace, client, person } = req.portal.customer
  const own = topics.filter(it => findLive(sections, it)?.changedSince)
  const changed = await Promise.all(own.map(it => findLive(sections, it)!.changedSince!(req, new Date(since))))
  const rows = await readWithin<{ topics: string[] }>(
    database,
    { workspace: workspace.id, client: client.id },
    {
      name: 'portal.missed',
      text: `select array[split_part(l.event, '.', 1), split_part(l.event, '.', 1) || '/' || l.subject_id] as topics from (
               select event, subject_id, actor_id, at from portal.client_activity_logs
               where workspace_id = scope.workspace and client_id = scope.client order by id desc limit 50
             ) l where l.at > to_timestamp($3 / 1000.0) - interval '1 second' and l.event = any ($4) and l.actor_id is distinct from $5`,
      values: [since, toldEvents(), person.id],
    },
  )
  return [...own.filter((_, at) => changed[at]), ...topicsIn(rows, topics)]
}

const topicsIn = (rows: { topics: string[] }[], topics: string[]) =>
  topics.filter(topic => rows.some(it => it.topics.includes(topic)))

/** The same for staff, of the workspace's latest entries. */
async function missedByStaff({ portal }: Request, database: Knex, topics: string[], since: number | undefined) {
  if (since === undefined) return []
  const { staff, workspace } = portal
  const rows = await readWithin<{ topics: string[] }>(
    database,
    { workspace: workspace.id },
    {
      name: 'portal.missed_by_staff',
      text: `select array[split_part(l.event, '.', 1), split_part(l.event, '.', 1) || '/' || l.subject_id] as topics from (
               select event, subject_id, client_id, actor_kind, actor_id from portal.client_activity_logs
               where workspace_id = scope.workspace and at > to_timestamp($3 / 1000.0) - interval '1 second'
               order by at desc limit 500
             ) l where l.event = any ($4) and l.client_id is not null
               and (l.actor_kind <> 'staff' or l.actor_id is distinct from $5)`,
      values: [since, toldEvents(), staff?.id],
    },
  )
  return topicsIn(rows, topics)
}
