import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { itemsText, type MailItem } from '../../src/mail/items.ts'
import { kindsOf, type NotificationFacts } from '../../src/notifications/kinds.ts'
import { addressOf, type Reader } from '../../src/notifications/notify.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import { once } from '../../src/platform/once.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { preferencesOf } from './choices.ts'
import { readersAt } from './readers.ts'
import { type SummaryMoment, summaryMoment } from './schedule.ts'
import { summaryKind, unsubscribeAddress } from './unsubscribe.ts'
import { wordsOf } from './words.ts'

/** So many people are handled by one job before it queues the next. */
const most = 200
/** So many notifications are listed in one mail; the others are counted. */
const listed = 50

/** Mails each person what waits for their summary, at their hour, once on a day, and nothing where nothing is new. */
export const sendSummaries: Job = {
  every: 900,
  async work({ workspace: { id, slug }, data }, host) {
    const core = coreHostOf(host)
    const workspace = await core.workspaces.find(slug)
    if (!core.mailContext || workspace?.id !== id) return undefined
    const people = await waitingFor(core, id, data.after ?? '')
    const round = { workspace, readers: once(client => readersAt(host, workspace, client)) }
    for (const it of people)
      await sendSummary(host, round, it).catch(err =>
        host.log.error(
          { err, workspace: slug },
          'a summary of notifications could not be sent; the next round tries again',
        ),
      )
    core.mailContext.outbox.wake()
    return people.length === most ? { after: people.at(-1)!.id } : undefined
  },
}

/** One job: the CRM is asked once about each client. */
interface Round {
  workspace: BrandedWorkspace
  readers(client: string): ReturnType<typeof readersAt>
}

interface Waiting extends Reader {
  /** Of the oldest that waits. */
  since: Date
}

const waitingFor = ({ database }: CoreHost, workspace: string, after: string) =>
  readWithin<Waiting>(
    database,
    { workspace },
    {
      name: 'portal.notification-summaries',
      text: `select u.id::text, u.name, u.email, u.language, u.time_zone as "timeZone", w.since
             from (select n.person_id, min(n.at) as since from portal.client_notifications n
                   where n.workspace_id = scope.workspace and n.in_summary
                     and ($3 = '' or n.person_id > nullif($3, '')::uuid)
                   group by n.person_id order by n.person_id limit ${most}) w
               join portal.client_users u on u.workspace_id = scope.workspace and u.id = w.person_id
             where u.suspended_at is null order by u.id`,
      values: [after],
    },
  )

async function sendSummary(host: Host, round: Round, person: Waiting): Promise<void> {
  const { database } = coreHostOf(host)
  const { workspace } = round
  const zone = zoneOf(person.timeZone ?? workspace.timeZone)
  const moment = await momentOf(host, workspace.id, person, zone)
  if (person.since >= moment.at) return
  const rows = await rowsOf(host, workspace.id, person.id, moment)
  const items = await itemsOf(host, round, { person, zone, rows })
  await within(database, { workspace: workspace.id }, async tx => {
    const first = await query(tx, {
      text: `insert into portal.client_notification_summaries (workspace_id, person_id, day) values ($1, $2, $3)
             on conflict do nothing returning 1`,
      values: [workspace.id, person.id, moment.day],
    })
    if (!first.length) return
    await query(tx, {
      text: `update portal.client_notifications set in_summary = false, read_at = case when shown then read_at else portal.now() end
             where workspace_id = $1 and person_id = $2 and in_summary and at < $3`,
      values: [workspace.id, person.id, moment.at],
    })
    if (items.length) await mailSummary(tx, host, workspace, { person, items })
  })
}

async function momentOf({ database }: Host, workspace: string, { id }: Waiting, zone: string): Promise<SummaryMoment> {
  const summary = await within(database, { workspace }, async tx => {
    const all = await preferencesOf(tx, workspace, [id])
    return all.get(id)!.summary
  })
  return summaryMoment(summary, zone, currentTime(database))
}

interface Row {
  client: string
  kind: string
  section: string
  record: string
  rest: string
  facts: NotificationFacts
  count: number
}

/** What came before the moment and was not read meanwhile. */
const rowsOf = ({ database }: Host, workspace: string, person: string, { at }: SummaryMoment) =>
  readWithin<Row>(
    database,
    { workspace },
    {
      text: `select n.client_id as client, n.kind, n.section, n.record_id as record, n.rest, n.facts, n.count
             from portal.client_notifications n
             where n.workspace_id = scope.workspace and n.person_id = $3::uuid and n.in_summary and n.read_at is null
               and n.at < $4 order by n.at desc, n.id desc limit 500`,
      values: [person, at],
    },
  )

interface Listed {
  person: Reader
  zone: string
  rows: Row[]
}

/** What this person may still see, in their language. */
async function itemsOf(host: Host, { workspace, readers }: Round, { person, zone, rows }: Listed): Promise<MailItem[]> {
  const { address = '' } = coreHostOf(host)
  const speech = speak(`${localeOf(person.language ?? '')}|${zone}`)
  const kinds = kindsOf(host.plugins)
  const items: MailItem[] = []
  for (const [client, its] of Map.groupBy(rows, it => it.client)) {
    const { of } = await readers(client)
    for (const { kind, section, record: id, rest, facts, count } of its) {
      if (!(await of(section)).some(it => it.id === person.id)) continue
      const { text, about } = wordsOf(kinds.get(kind), { facts, count }, speech)
      const url = addressOf({ address }, workspace.slug, { client, section, id, rest })
      if (text) items.push({ title: text, text: about, url })
    }
  }
  return items
}

interface Summarised {
  person: Reader
  items: MailItem[]
}

async function mailSummary(
  tx: Parameters<typeof sendMail>[2],
  host: Host,
  workspace: BrandedWorkspace,
  it: Summarised,
) {
  const mailContext = coreHostOf(host).mailContext!
  const { person, items } = it
  const { t } = speak(localeOf(person.language ?? ''))
  const more = items.length - listed
  const shown = [...items.slice(0, listed), ...(more > 0 ? [{ title: t('And {more} more', { more }), text: '' }] : [])]
  const req = { portal: { workspace, locale: localeOf('') } }
  await sendMail(
    mailContext,
    req,
    tx,
    'notifications.summary',
    { ...person, person: person.id },
    {
      facts: { count: items.length, items: itemsText(shown) },
      url: `${mailContext.address}/${workspace.slug}/notifications`,
      unsubscribe: unsubscribeAddress(mailContext, workspace.slug, { person: person.id, kind: summaryKind }),
    },
  )
}
