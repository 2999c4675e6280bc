import type { CoreHost } from '../../src/auth/host.ts'
import { documentAt, linkTo, type MailContext, sendMail } from '../../src/auth/mail-context.ts'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import { allows, type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { type Rights, rightsOf } from '../../src/auth/roles.ts'
import { type Customer, roles } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { CrmUnavailable, NotFound } from '../../src/http/errors.ts'
import type { Page } from '../../src/http/paging.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { drifted, query, readWithin, unreachable, within } from '../../src/platform/database.ts'
import { daysLater } from '../../src/platform/dates.ts'
import { dateIn, localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import type { Expiring, ExpiringDocument, PendingDocument, Subject } from '../../src/plugin/subjects.ts'
import { furthest, momentOf, momentsIn, momentsName } from './moments.ts'

/** How many clients one job handles before it queues the next. */
const most = 100
/** So many documents of a client are in memory. */
const page = 50
/** From this hour of the workspace on, and before that one. */
const [morning, evening] = [8, 18]

type Parts = Pick<CoreHost, 'crm' | 'database' | 'activation' | 'flags' | 'log' | 'workspaces' | 'plugins'>

/** A round of a workspace, from the client after this one on. */
interface Round {
  workspace: string
  slug: string
  after?: string
}

type Mailing = Parts & { mailContext: MailContext }

/** Returns the last client of this batch if there are more. If the CRM is unreachable, the next round tries again. */
export async function sendReminders(
  { workspace: id, slug, after = '' }: Round,
  parts: Mailing,
): Promise<string | undefined> {
  const { database, activation, flags, log, workspaces } = parts
  if (!flags.enabled(slug) || !(await activation.isAccepted()) || !activation.isComplete()) return
  try {
    const workspace = await workspaces.find(slug)
    if (workspace?.id !== id) return
    const zone = zoneOf(workspace.timeZone)
    const hour = speak(`en|${zone}`).hour(currentTime(database))
    const days = momentsIn((await storedSettings<unknown>(database, id)).get(momentsName))
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
  workspace: BrandedWorkspace
  days: number[]
  today: string
  rights: Rights
}

interface Reminding extends Section {
  subject: Subject & { expiring: Expiring }
}

/** Plugins whose subjects have a deadline. */
const answered = (plugins: Section[]) => plugins.filter((it): it is Reminding => it.subject?.expiring !== undefined)

/** Clients with at least one person who may respond. */
async function clientsOf({ database, workspace, plugins, rights }: Going, after: string): Promise<string[]> {
  const rows = await readWithin<{ id: string }>(
    database,
    { workspace: workspace.id },
    {
      text: `select distinct m.client_id as id from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id > $3 and m.role = any($4)
               and u.suspended_at is null and u.reminders and not ${portalOffSql('m')} order by 1 limit ${most}`,
      values: [
        after,
        roles.filter(role => answered(plugins).some(it => allows(it, rights, role, it.subject.expiring.may))),
      ],
    },
  )
  return rows.map(it => it.id)
}

async function remindOf(client: string, round: Going) {
  const { crm, activation, plugins, rights, days, today, workspace } = round
  const { of, still } = await recipientsAt({ ...round, sections: plugins }, { workspace, client, rights })

  for (const section of answered(plugins)) {
    const { name, subject } = section
    const { may, on, answerable, list, find } = subject.expiring
    const recipients = of({ section, may, on: [...on, 'reminders'] }).filter(it => it.reminders)
    const [first] = recipients
    if (!first) continue
    const person = { id: first.id, name: first.name, email: first.email }
    const customer: Customer = {
      workspace,
      client: { id: client, name: first.client },
      person,
      role: first.role,
      today,
    }
    const ports = activation.availablePorts(crm.connect(customer))
    if (!(name in ports) || !answerable(ports)) continue
    for await (const { id, sentOn, validUntil } of ending(asked => list(ports, asked), today)) {
      const moment = momentOf(days, { sentOn, validUntil }, today)
      if (!moment) continue
      const waits = await find(ports, id).catch(gone)
      if (waits?.validUntil !== validUntil) continue
      await tell({ section: name, waits, moment, client }, await still(recipients), round)
    }
  }
}

/** The open ones, the first to expire first, as far as anybody can be reminded of them. */
async function* ending(
  list: (asked: { size: number; after?: string }) => Promise<Page<ExpiringDocument>>,
  today: string,
): AsyncGenerator<ExpiringDocument & { validUntil: string }> {
  const last = daysLater(today, furthest)
  let after: string | undefined
  do {
    const { items, next } = await list({ size: page, after })
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
  waits: PendingDocument
  moment: string
  client: string
}

/** Sends each reminder once, also across instances: its row and its mail are one transaction. */
async function tell(
  { section, waits, moment, client }: Reminder,
  people: RecipientOf[],
  { database, mailContext, workspace }: Going,
) {
  const { id, number, version } = waits
  await within(database, { workspace: workspace.id, client }, async tx => {
    const told = await query<{ person: string }>(tx, {
      text: `insert into portal.client_reminders (workspace_id, kind, section, document_id, version, due_on, person_id, client_id)
             select $1, 'expiry', $3, $4, $5, $6, u.id, $2 from portal.client_users u
             where u.workspace_id = $1 and u.id = any($7) and u.suspended_at is null and u.reminders
               and not exists (select from portal.client_signatures s
                 where s.workspace_id = $1 and s.client_id = $2 and s.section = $3 and s.document_id = $4 and s.version = $5
                   and s.act in ('accepted', 'declined')
                   and (s.state in ('saved', 'submitting') or s.state = 'confirmed' and s.settled_at > portal.now() - interval '1 hour'))
             order by u.id on conflict do nothing returning person_id as person`,
      values: [workspace.id, client, section, id, version, moment, people.map(it => it.id)],
    })
    const chosen = people.filter(it => told.some(({ person }) => person === it.id))
    if (!chosen.length) return
    const asked = { portal: { workspace, locale: localeOf('') } }
    for (const it of chosen)
      await sendMail(
        mailContext,
        asked,
        tx,
        'reminders.expiry',
        { ...it, person: it.id },
        {
          facts: ({ longDay, money }) => ({
            number,
            what: waits.title,
            total: money(waits.total),
            client: it.client,
            day: longDay(waits.validUntil ?? ''),
            account: linkTo(mailContext, asked, '/account#reminders'),
          }),
          url: documentAt(mailContext, workspace.slug, { client, section, id }),
        },
      )
    const subject = { id, number, version, moment, count: chosen.length }
    await insert(tx, [bySystem(workspace.id, { event: `${section}.reminded`, subject }, client)])
  })
}
