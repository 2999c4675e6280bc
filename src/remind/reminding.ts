import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { bySystem, insert } from '../activity.ts'
import { allows, type Member, readersAt } from '../auth/readers.ts'
import { type Rights, rightsOf } from '../auth/roles.ts'
import { documentAt, linkTo, type Ways, write } from '../auth/way.ts'
import type { Branded, Workspaces } from '../branding/workspaces.ts'
import { daysLater } from '../calendar.ts'
import { currentTime } from '../clock.ts'
import { type Crm, type Customer, roles } from '../crm.ts'
import { query, readWithin, unreachable, within } from '../database.ts'
import { CrmUnavailable, NotFound } from '../errors.ts'
import type { Flags } from '../flags.ts'
import { drifted } from '../gate/drift.ts'
import type { Gate } from '../gate/gate.ts'
import type { Jobs } from '../jobs.ts'
import { dateIn, localeOf, speak, zoneOf } from '../language.ts'
import type { Log } from '../log.ts'
import type { Offer, Offers, Summary } from '../offer/port.ts'
import type { Section } from '../section.ts'
import { stored } from '../settings/store.ts'
import { furthest, momentOf, momentsIn, momentsName } from './moments.ts'

const queue = 'reminders'

/** Seconds between two rounds of a workspace. */
const every = 3_600
/** So many clients are gone through by one job, before the next one goes on. */
const most = 100
/** So many documents of a client are in memory. */
const page = 50
/** From this hour of the workspace on, and before that one. */
const [morning, evening] = [8, 18]

interface Parts {
  crm: Crm
  database: Knex
  door: Gate
  flags: Flags
  jobs: Jobs
  log: Log
  mailed: Ways | undefined
  places: Workspaces
  sections: Section[]
}

/** A round of a workspace, from the client after this one on. */
interface Round {
  workspace: string
  slug: string
  after?: string
}

type Mailing = Parts & { mailed: Ways }

/**
 * Reminds whoever may answer what is about to expire: a job of each workspace, once an hour. It queues the next round
 * before it begins its own, and whoever comes to the portal sees to it that there is one, so none is ever lost.
 */
export function reminding(parts: Parts): RequestHandler {
  const { database, jobs, mailed } = parts
  if (!mailed) return (_req, _res, next) => next()
  const queued = new Map<string, number>()
  const send = ({ workspace, slug, after }: Round, seconds: number) =>
    database.transaction(tx =>
      jobs.send(tx, queue, { workspace, slug, after }, seconds, after ? `${workspace} ${after}` : workspace),
    )

  jobs.work<Round>(
    queue,
    async ({ data }) => {
      if (data.after === undefined) await send(data, every)
      const last = await remind(data, { ...parts, mailed })
      if (last !== undefined) await send({ ...data, after: last }, 0)
      jobs.wake()
    },
    { every: 60 },
  )

  return (req, _res, next) => {
    next()
    const { id: workspace, slug } = req.portal.workspace
    if (!workspace || (queued.get(workspace) ?? 0) > Date.now() - every * 1_000) return
    if (queued.size > 10_000) queued.clear()
    queued.set(workspace, Date.now())
    // Whoever comes next tries again.
    send({ workspace, slug }, every).catch(() => queued.delete(workspace))
  }
}

/** Gives the client to go on after, where there are more. A CRM that does not answer is asked again in an hour. */
export async function remind({ workspace: id, slug, after = '' }: Round, parts: Mailing): Promise<string | undefined> {
  const { database, door, flags, log, places } = parts
  if (!flags.enabled(slug) || !(await door.opened()) || !door.whole()) return
  try {
    const workspace = await places.find(slug)
    if (workspace?.id !== id) return
    const zone = zoneOf(workspace.timeZone)
    const hour = speak(`en|${zone}`).hour(currentTime(database))
    const days = momentsIn((await stored<unknown>(database, id)).get(momentsName))
    if (!days.length || hour < morning || hour >= evening) return
    const round = {
      ...parts,
      workspace,
      days,
      today: dateIn(zone, currentTime(database)),
      rights: await rightsOf(database, id),
    }
    const clients = await clientsOf(round, after)
    for (const client of clients)
      await remindOf(client, round).catch(error => {
        if (down(error)) throw error
        log.error({ err: error, workspace: slug, client }, 'the people of a client could not be reminded')
      })
    return clients.length === most ? clients.at(-1) : undefined
  } catch (error) {
    if (!down(error)) throw error
    log.warn({ err: error, workspace: slug }, 'the CRM does not answer; nobody is reminded before the next hour')
    return
  }
}

const down = (error: unknown) => unreachable(error) || drifted(error) || error instanceof CrmUnavailable

interface Going extends Mailing {
  workspace: Branded
  days: number[]
  today: string
  rights: Rights
}

/** Sections whose documents are answered before they expire. */
const answered = (sections: Section[]) => sections.filter(it => `${it.name}.reminders` in it.toggles)

const may = ['see', 'answer']

/** Those with people who may answer anything at all. */
async function clientsOf({ database, workspace, sections, rights }: Going, after: string): Promise<string[]> {
  const rows = await readWithin<{ id: string }>(
    database,
    { workspace: workspace.id },
    {
      text: `select distinct m.client_id as id from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id > $3 and m.role = any($4)
               and u.suspended_at is null and u.reminders order by 1 limit ${most}`,
      values: [after, roles.filter(role => answered(sections).some(it => allows(it, rights, role, may)))],
    },
  )
  return rows.map(it => it.id)
}

async function remindOf(client: string, round: Going) {
  const { crm, door, sections, rights, days, today, workspace } = round
  const { of, still } = await readersAt(round, { workspace, client, rights })

  for (const section of answered(sections)) {
    const { name } = section
    const readers = of({ section, may, on: ['answers', 'reminders'] }).filter(it => it.reminders)
    const [first] = readers
    if (!first) continue
    const person = { id: first.id, name: first.name, email: first.email }
    const customer: Customer = {
      workspace,
      client: { id: client, name: first.client },
      person,
      role: first.role,
      today,
    }
    const port = (door.passing(crm.connect(customer)) as Record<string, Offers | undefined>)[name]
    if (!(port?.answer || port?.passOn)) continue
    for await (const { id, sentOn, validUntil } of ending(port, today)) {
      const moment = momentOf(days, { sentOn, validUntil }, today)
      if (!moment) continue
      const offer = await port.find(id).catch(gone)
      if (offer?.status !== 'open' || offer.validUntil !== validUntil) continue
      await tell({ section: name, offer, moment, client }, await still(readers), round)
    }
  }
}

/** The open ones, the first to expire first, as far as anybody can be reminded of them. */
async function* ending(port: Offers, today: string): AsyncGenerator<Summary & { validUntil: string }> {
  const last = daysLater(today, furthest)
  let after: string | undefined
  do {
    const { items, next } = await port.list({ status: 'open', sort: 'urgent', size: page, after })
    for (const it of items) {
      if (!it.validUntil || it.validUntil > last) return
      if (it.validUntil >= today) yield { ...it, validUntil: it.validUntil }
    }
    after = next ?? undefined
  } while (after)
}

const gone = (error: unknown) => {
  if (!(error instanceof NotFound)) throw error
  return undefined
}

interface Reminder {
  section: string
  offer: Offer
  moment: string
  client: string
}

/** Each of them once, whoever else goes through the same: the row that says so and the mail are there together. */
async function tell(
  { section, offer, moment, client }: Reminder,
  people: Member[],
  { database, mailed, workspace }: Going,
) {
  const { id, number, version } = offer
  await within(database, { workspace: workspace.id, client }, async tx => {
    const told = await query<{ person: string }>(tx, {
      text: `insert into portal.client_reminders (workspace_id, kind, section, document_id, version, moment, person_id, client_id)
             select $1, 'expiry', $3, $4, $5, $6, u.id, $2 from portal.client_users u
             where u.workspace_id = $1 and u.id = any($7) and u.suspended_at is null and u.reminders
               and not exists (select from portal.client_signatures s
                 where s.workspace_id = $1 and s.client_id = $2 and s.section = $3 and s.document_id = $4 and s.version = $5
                   and s.act in ('accepted', 'declined')
                   and (s.state in ('saved', 'passing') or s.state = 'confirmed' and s.settled_at > portal.now() - interval '1 hour'))
             order by u.id on conflict do nothing returning person_id as person`,
      values: [workspace.id, client, section, id, version, moment, people.map(it => it.id)],
    })
    const chosen = people.filter(it => told.some(({ person }) => person === it.id))
    if (!chosen.length) return
    const asked = { portal: { workspace, locale: localeOf('') } }
    for (const it of chosen)
      await write(
        mailed,
        asked,
        tx,
        'reminder',
        { ...it, person: it.id },
        {
          facts: ({ longDay, money }) => ({
            number,
            what: offer.title,
            total: money(offer.total),
            client: it.client,
            day: longDay(offer.validUntil ?? ''),
            account: linkTo(mailed, asked, '/account#reminders'),
          }),
          url: documentAt(mailed, workspace.slug, { client, section, id }),
        },
      )
    const subject = { id, number, version, moment, count: chosen.length }
    await insert(tx, [bySystem(workspace.id, { event: `${section}.reminded`, subject }, client)])
  })
}
