import Big from 'big.js'
import type { Knex } from 'knex'
import { documentAt, linkTo } from '../../src/auth/mail-context.ts'
import type { RecipientOf } from '../../src/auth/recipients.ts'
import { itemsText } from '../../src/mail/items.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { query, within } from '../../src/platform/database.ts'
import { localeOf, type Speech } from '../../src/platform/i18n.ts'
import type { Money } from '../../src/platform/money.ts'
import { choicesLink, wantedSql } from './own.ts'
import type { Round } from './round.ts'

/** So many documents are named in a mail; the others are counted. */
const mostListed = 20

/** What somebody is reminded to pay. */
export interface Due {
  section: string
  id: string
  number: string
  /** Plain dates. `moment` is when the reminder came. */
  moment: string
  dueOn: string
  overdue: boolean
  left: Money
}

interface Reminder {
  dues: Due[]
  /** Who may know of which section. */
  recipients: { section: string; person: RecipientOf }[]
  /** Ids of those who can pay here. */
  payers: Set<string>
}

/** Tells each person of each document once, also across instances: the rows and the mails are one transaction. */
export async function tellOfPayments({ dues, recipients, payers }: Reminder, client: string, round: Round) {
  const { database, workspace } = round
  await within(database, { workspace: workspace.id, client }, async tx => {
    const kept = Map.groupBy(await keep(tx, dues, recipients, { client, round }), it => it.person)
    const told: Told[] = []
    for (const [person, its] of kept) {
      const keys = new Set(its.map(keyOf))
      const to = recipients.find(it => it.person.id === person)!.person
      const letter = { to, dues: dues.filter(it => keys.has(keyOf(it))), pays: payers.has(person), client }
      if ((await tell(tx, letter, round)).length) told.push(...its)
    }
    await record(tx, dues, told, { workspace: workspace.id, client })
  })
}

interface Told {
  section: string
  id: string
  person: string
}

interface Place {
  workspace: string
  client: string
}

interface Keeping {
  client: string
  round: Round
}

const keyOf = ({ section, id }: { section: string; id: string }) => `${section}/${id}`

/** Gives what nobody was told before. Always in the same order: two instances wait for each other and go on. */
const keep = (tx: Knex, dues: Due[], recipients: Reminder['recipients'], { client, round }: Keeping) =>
  query<Told>(tx, {
    text: `insert into portal.client_reminders (workspace_id, kind, section, document_id, version, due_on, person_id, client_id)
           select $1, 'due', d.section, d.id, 0, d.moment, u.id, $2
           from jsonb_to_recordset($3) d (section text, id text, moment date)
             join jsonb_to_recordset($4) r (section text, person uuid) on r.section = d.section
             join portal.client_users u on u.workspace_id = $1 and u.id = r.person
           where u.suspended_at is null ${wantedSql(round)}
           order by d.section, d.id, u.id on conflict do nothing
           returning section, document_id as id, person_id as person`,
    values: [
      ...[round.workspace.id, client],
      JSON.stringify(dues.map(({ section, id, moment }) => ({ section, id, moment }))),
      JSON.stringify(recipients.map(({ section, person }) => ({ section, person: person.id }))),
    ],
  })

interface Letter {
  to: RecipientOf
  dues: Due[]
  pays: boolean
  client: string
}

/** Gives the person's id if any channel reaches them. */
async function tell(tx: Knex, letter: Letter, round: Round): Promise<string[]> {
  const { to, dues, pays, client } = letter
  const { capability, mailContext, workspace } = round
  const [first] = dues as [Due]
  const asked = { portal: { workspace, locale: localeOf('') } }
  const page = pays ? capability('paying')?.page(client, dues.slice(0, mostListed)) : undefined
  return notifyPeople(tx, round, asked, [to], {
    kind: dues.some(it => it.overdue) ? 'reminders.overdue' : 'reminders.due',
    record: { client, section: first.section, id: dues.length === 1 ? first.id : '' },
    facts: { documents: dues.length, number: first.number, day: { day: first.dueOn } },
    mail: (_reader, unsubscribe) => ({
      facts: speech => ({
        ...factsOf(letter, speech, round),
        pays: page ? 1 : 0,
        account: choicesLink(round, to, unsubscribe),
      }),
      url: page ? linkTo(mailContext, asked, page) : placeOf(letter, round),
    }),
  })
}

/** The document, or the list where there are several. */
function placeOf({ dues, client }: Letter, { mailContext, workspace }: Round): string {
  const [{ section, id }] = dues as [Due]
  if (dues.length === 1) return documentAt(mailContext, workspace.slug, { client, section, id })
  return `${mailContext.address}/${workspace.slug}/${section}?${new URLSearchParams({ client })}`
}

function factsOf(letter: Letter, speech: Speech, round: Round): Facts {
  const { to, dues } = letter
  const [first] = dues as [Due]
  const sums = new Intl.ListFormat(speech.locale).format(sumsOf(dues).map(speech.money))
  return {
    client: to.client,
    count: dues.length,
    number: first.number,
    day: speech.longDay(first.dueOn),
    total: sums,
    items: itemsText(itemsOf(letter, speech, round)),
  }
}

function itemsOf({ dues, client }: Letter, { t, day, money }: Speech, { mailContext, workspace }: Round) {
  const listed = dues.slice(0, mostListed).map(({ section, id, number, dueOn, overdue, left }) => {
    const said = { amount: money(left), day: day(dueOn) }
    return {
      title: number,
      text: overdue ? t('{amount}, overdue since {day}', said) : t('{amount}, due on {day}', said),
      url: documentAt(mailContext, workspace.slug, { client, section, id }),
    }
  })
  const more = dues.length - listed.length
  return more > 0 ? [...listed, { title: t('and {count} more', { count: more }), text: '' }] : listed
}

/** What is left in each currency. */
function sumsOf(dues: Due[]): Money[] {
  const sums = new Map<string, Big>()
  for (const { left } of dues) sums.set(left.currency, (sums.get(left.currency) ?? Big(0)).plus(left.amount))
  return [...sums].map(([currency, sum]) => ({ amount: sum.toFixed(), currency }))
}

/** One entry for each document, which its history shows. */
async function record(tx: Knex, dues: Due[], told: Told[], { workspace, client }: Place) {
  const counts = Map.groupBy(told, keyOf)
  const rows = dues.flatMap(it => {
    const count = counts.get(keyOf(it))?.length
    const { section, id, number, moment, dueOn, overdue } = it
    const subject = { id, number, moment, dueOn, count, state: overdue ? 'overdue' : 'due' }
    return count ? [bySystem(workspace, { event: `${section}.reminded`, subject }, client)] : []
  })
  if (rows.length) await insert(tx, rows)
}
