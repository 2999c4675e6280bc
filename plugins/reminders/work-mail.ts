import type { Knex } from 'knex'
import { documentAt } from '../../src/auth/mail-context.ts'
import type { RecipientOf } from '../../src/auth/recipients.ts'
import { itemsText } from '../../src/mail/items.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query, within } from '../../src/platform/database.ts'
import { localeOf, type Speech } from '../../src/platform/i18n.ts'
import type { DueRecord } from '../../src/plugin/subjects.ts'
import { choicesLink, wantedSql } from './own.ts'
import type { Round } from './round.ts'

/** So many records are named in a mail; the others are counted. */
const mostListed = 20

/** What somebody is reminded to do. */
export interface Work extends DueRecord {
  section: string
  /** A plain date: when the reminder came. */
  moment: string
  overdue: boolean
  person: RecipientOf
}

/** Tells each person once of each record, in one mail a day, also across instances: rows and mails are one transaction. */
export async function tellOfWork(works: Work[], client: string, round: Round) {
  const { database, workspace } = round
  await within(database, { workspace: workspace.id, client }, async tx => {
    const kept = new Set((await keep(tx, works, client, round)).map(keyOf))
    const fresh = works.filter(it => kept.has(keyOf({ ...it, person: it.person.id })))
    const told: Work[] = []
    for (const its of Map.groupBy(fresh, it => it.person.id).values()) {
      const sorted = its.toSorted((a, b) => (a.dueOn < b.dueOn ? -1 : 1))
      const reached = await tell(tx, { works: sorted, to: sorted[0]!.person, client }, round)
      if (reached.length) told.push(...its)
    }
    await record(tx, told, workspace.id, client)
  })
}

interface Kept {
  section: string
  id: string
  person: string
}

const keyOf = ({ section, id, person }: Kept) => `${person}/${section}/${id}`

/** Gives what nobody was told before. One instance at a time, so that nobody gets two mails on one day. */
async function keep(tx: Knex, works: Work[], client: string, round: Round) {
  const { today, workspace } = round
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`reminders.work ${workspace.id} ${client}`],
  })
  const rows = works.map(({ section, id, moment, person }) => ({ section, id, moment, person: person.id }))
  return query<Kept>(tx, {
    text: `insert into portal.client_reminders (workspace_id, kind, section, document_id, version, due_on, person_id, client_id)
           select $1, 'work', d.section, d.id, 0, d.moment, u.id, $2
           from jsonb_to_recordset($3) d (section text, id text, moment date, person uuid)
             join portal.client_users u on u.workspace_id = $1 and u.id = d.person
           where u.suspended_at is null ${wantedSql(round)} and not exists (
             select from portal.client_reminders t
             where t.workspace_id = $1 and t.client_id = $2 and t.kind = 'work' and t.person_id = u.id
               and t.at > portal.now() - interval '2 days' and (t.at at time zone $4)::date = $5::date)
           order by d.section, d.id, u.id on conflict do nothing
           returning section, document_id as id, person_id as person`,
    values: [workspace.id, client, JSON.stringify(rows), workspace.timeZone, today],
  })
}

interface Letter {
  to: RecipientOf
  /** The first due first. */
  works: Work[]
  client: string
}

/** Gives the person's id if any channel reaches them. */
async function tell(tx: Knex, letter: Letter, round: Round): Promise<string[]> {
  const { to, works, client } = letter
  const { workspace } = round
  const asked = { portal: { workspace, locale: localeOf('') } }
  const kind = works.some(it => it.overdue) ? 'reminders.work-overdue' : 'reminders.work'
  const [first] = works as [Work]
  return notifyPeople(tx, round, asked, [to], {
    kind,
    record: { client, section: first.section, id: works.length === 1 ? first.id : '' },
    facts: { documents: works.length, title: first.title, day: { day: first.dueOn } },
    mail: (_reader, unsubscribe) => ({
      facts: speech => ({
        ...factsOf(letter, speech, round),
        account: choicesLink(round, to, unsubscribe),
      }),
      url: placeOf(letter, round),
    }),
  })
}

/** The record, the list where there are several of one section, or the first page. */
function placeOf({ works, client }: Letter, { mailContext, workspace }: Round): string {
  const [{ section, id }] = works as [Work]
  if (works.length === 1) return documentAt(mailContext, workspace.slug, { client, section, id })
  const path = works.every(it => it.section === section) ? `/${section}` : '/'
  return `${mailContext.address}/${workspace.slug}${path}?${new URLSearchParams({ client })}`
}

function factsOf(letter: Letter, speech: Speech, round: Round): Facts {
  const { to, works } = letter
  const [first] = works as [Work]
  return {
    client: to.client,
    count: works.length,
    what: first.title,
    day: speech.longDay(works.length === 1 ? first.dueOn : works.at(-1)!.dueOn),
    items: itemsText(itemsOf(letter, speech, round)),
  }
}

function itemsOf({ works, client }: Letter, { t, day }: Speech, { mailContext, workspace }: Round) {
  const listed = works.slice(0, mostListed).map(({ section, id, title, dueOn, overdue, left }) => {
    const said = overdue ? t('overdue since {day}', { day: day(dueOn) }) : t('due on {day}', { day: day(dueOn) })
    const rest = left === undefined ? '' : t('{left, plural, one {# item left} other {# items left}}', { left })
    return {
      title,
      text: [said, rest].filter(Boolean).join(', '),
      url: documentAt(mailContext, workspace.slug, { client, section, id }),
    }
  })
  const more = works.length - listed.length
  return more > 0 ? [...listed, { title: t('and {count} more', { count: more }), text: '' }] : listed
}

/** One entry for each record, which its history shows. */
async function record(tx: Knex, told: Work[], workspace: string, client: string) {
  const rows = [...Map.groupBy(told, it => `${it.section}/${it.id}`).values()].map(its => {
    const { section, id, title, moment, dueOn, overdue, personal = false } = its[0]!
    const named = personal ? { personal: 'yes' } : { personal: 'no', number: title, title }
    const subject = { id, ...named, moment, dueOn, count: its.length, state: overdue ? 'overdue' : 'due' }
    return bySystem(workspace, { event: `${section}.reminded`, subject }, client)
  })
  if (rows.length) await insert(tx, rows)
}
