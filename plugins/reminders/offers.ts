import { allows, type RecipientOf } from '../../src/auth/recipients.ts'
import { type Role, roles } from '../../src/crm/crm.ts'
import type { Page } from '../../src/http/paging.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query, within } from '../../src/platform/database.ts'
import { daysLater } from '../../src/platform/dates.ts'
import { localeOf } from '../../src/platform/i18n.ts'
import type { Section } from '../../src/plugin/plugin.ts'
import type { Expiring, ExpiringDocument, PendingDocument, Subject } from '../../src/plugin/subjects.ts'
import { furthest, momentOf } from './moments.ts'
import { choicesLink, wanted, wantedSql } from './own.ts'
import { type Audience, gone, portsOf, type Round } from './round.ts'

/** So many documents of a client are in memory. */
const page = 50

interface Answered extends Section {
  subject: Subject & { expiring: Expiring }
}

/** Plugins whose subjects wait for an answer until a day. */
const answered = (plugins: Section[]) => plugins.filter((it): it is Answered => it.subject?.expiring !== undefined)

/** Roles that may answer some of them. */
export const answeringRoles = ({ plugins, rights, offers }: Round): Role[] =>
  roles.filter(
    role => offers.length > 0 && answered(plugins).some(it => allows(it, rights, role, it.subject.expiring.may)),
  )

/** Mails whoever may answer, before the price of an offer ends: one mail for each offer. */
export async function remindOfOffers(audience: Audience, round: Round) {
  const { client, of, still } = audience
  const { offers, plugins, today } = round
  if (!offers.length) return
  for (const section of answered(plugins)) {
    const { name, subject } = section
    const { may, on, answerable, list, find } = subject.expiring
    const recipients = of({ section, may, on: [...on, 'reminders'] }).filter(wanted(round))
    const [first] = recipients
    if (!first) continue
    const ports = portsOf(round, client, first)
    if (!(name in ports) || !answerable(ports)) continue
    for await (const { id, sentOn, validUntil } of ending(asked => list(ports, asked), today)) {
      const moment = momentOf(offers, { sentOn, validUntil }, today)
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

interface Reminder {
  section: string
  waits: PendingDocument
  moment: string
  client: string
}

/** Sends each reminder once, also across instances: its row and its mail are one transaction. */
async function tell({ section, waits, moment, client }: Reminder, people: RecipientOf[], round: Round) {
  const { database, workspace } = round
  const { id, number, version } = waits
  await within(database, { workspace: workspace.id, client }, async tx => {
    const told = await query<{ person: string }>(tx, {
      text: `insert into portal.client_reminders (workspace_id, kind, section, document_id, version, due_on, person_id, client_id)
             select $1, 'expiry', $3, $4, $5, $6, u.id, $2 from portal.client_users u
             where u.workspace_id = $1 and u.id = any($7) and u.suspended_at is null ${wantedSql(round)}
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
    const day = waits.validUntil ?? ''
    let count = 0
    for (const it of chosen) {
      const reached = await notifyPeople(tx, round, asked, [it], {
        kind: 'reminders.expiry',
        record: { client, section, id },
        facts: { number, title: waits.title, day: { day } },
        mail: (_reader, unsubscribe) => ({
          facts: ({ longDay, money }) => ({
            ...{ number, what: waits.title, total: money(waits.total), client: it.client, day: longDay(day) },
            account: choicesLink(round, it, unsubscribe),
          }),
        }),
      })
      count += reached.length
    }
    if (!count) return
    const subject = { id, number, version, moment, count }
    await insert(tx, [bySystem(workspace.id, { event: `${section}.reminded`, subject }, client)])
  })
}
