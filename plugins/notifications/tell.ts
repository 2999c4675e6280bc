import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { type MailRequest, sendMail } from '../../src/auth/mail-context.ts'
import { kindsOf, type NamedKind } from '../../src/notifications/kinds.ts'
import { addressOf, type Notice, type Reader } from '../../src/notifications/notify.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query } from '../../src/platform/database.ts'
import { tellChange } from '../../src/platform/events.ts'
import { localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { isChosen, type Preferences, preferencesOf } from './choices.ts'
import { quietUntil } from './schedule.ts'
import { unsubscribeAddress } from './unsubscribe.ts'
import { wordsOf } from './words.ts'

/** Tells each of these people of something by the channels that they chose, once for each key. */
export async function tell(
  host: Host,
  tx: Knex,
  req: MailRequest,
  readers: Reader[],
  notice: Notice,
): Promise<string[]> {
  const core = coreHostOf(host)
  const { workspace } = req.portal
  const kind = kindsOf(host.plugins).get(notice.kind)
  if (!kind) throw new TypeError(`No plugin declares the notification ${notice.kind}.`)
  const fresh = await untold(tx, workspace.id, readers, notice)
  if (!fresh.length || notice.quiet) return []
  const preferences = await preferencesOf(
    tx,
    workspace.id,
    fresh.map(it => it.id),
  )
  const telling = { tx, core, req, kind, notice }
  const wants = (channel: string) => fresh.filter(it => isChosen(kind, channel, preferences.get(it.id)!))
  const mailed = new Set(core.mailContext && notice.mail !== false ? wants('mail') : [])
  const [here, summed] = [wants('here'), wants('summary').filter(it => !mailed.has(it))]
  const told = new Set([...mailed, ...here, ...summed])
  await show(telling, here, summed)
  for (const reader of mailed) await mail(telling, reader, preferences.get(reader.id)!)
  for (const { name, channel } of host.plugins) {
    if (!channel) continue
    const chosen = wants(name)
    if (!chosen.length) continue
    const reached = new Set(await channel.reaches(tx, { workspace: workspace.id, people: idsOf(chosen) }, host))
    for (const reader of chosen.filter(it => reached.has(it.id))) {
      told.add(reader)
      await queueMessage(telling, reader, { channel: name, preferences: preferences.get(reader.id)! })
    }
  }
  return idsOf([...told])
}

interface Telling {
  tx: Knex
  core: CoreHost
  req: MailRequest
  kind: NamedKind
  notice: Notice
}

const idsOf = (readers: Reader[]) => readers.map(it => it.id)

/** Those who were not told of this yet. Two processes that tell the same at once wait for each other here. */
async function untold(tx: Knex, workspace: string, readers: Reader[], notice: Notice): Promise<Reader[]> {
  const { after, kind, key, record } = notice
  if (!readers.length || key === undefined) return readers
  const told = await query<{ person: string }>(tx, {
    text: `insert into portal.client_notifications_told (workspace_id, person_id, client_id, kind, key)
           select $1, id, $2, $3, $4 from unnest($5::uuid[]) id
           where $6::text is null or exists (
             select from portal.client_notifications_told t
             where t.workspace_id = $1 and t.person_id = id and t.client_id = $2 and t.kind = $6 and t.key = $7)
           order by id on conflict do nothing returning person_id::text as person`,
    values: [workspace, record.client, kind, key, idsOf(readers), after?.kind ?? null, after?.key ?? null],
  })
  const fresh = new Set(told.map(it => it.person))
  return readers.filter(it => fresh.has(it.id))
}

/** What stands behind the bell, and waits for the summary. Several about one record are one as long as nobody reads it. */
async function show({ tx, req, notice }: Telling, here: Reader[], summary: Reader[]): Promise<void> {
  const { workspace } = req.portal
  const people = [...new Set([...here, ...summary])]
  if (!people.length) return
  const { kind, record, facts } = notice
  await query(tx, {
    text: `insert into portal.client_notifications as n
             (workspace_id, client_id, person_id, kind, section, record_id, rest, facts, shown, in_summary)
           select $1, $2, it.id, $3, $4, $5, $6, $7, it.id = any($8::uuid[]), it.id = any($9::uuid[])
           from unnest($10::uuid[]) it (id) order by it.id
           on conflict (workspace_id, person_id, client_id, kind, section, record_id) where read_at is null
             do update set count = n.count + 1, at = portal.now(), facts = excluded.facts, rest = excluded.rest,
               shown = excluded.shown, in_summary = n.in_summary or excluded.in_summary`,
    values: [
      ...[workspace.id, record.client, kind, record.section, record.id, record.rest ?? '', JSON.stringify(facts)],
      ...[idsOf(here), idsOf(summary), idsOf(people)],
    ],
  })
  for (const { id } of here)
    await tellChange(tx, { workspace: workspace.id, client: record.client, section: 'notifications', id })
}

/** Mails at once, or when the reader's quiet hours are over. */
async function mail({ tx, core, req, kind, notice }: Telling, reader: Reader, preferences: Preferences): Promise<void> {
  const { mailContext, database } = core
  const { workspace } = req.portal
  const { record, facts } = notice
  if (!mailContext || notice.mail === false) return
  const zone = zoneOf(reader.timeZone ?? workspace.timeZone)
  const until = quietUntil(preferences.quiet, zone, currentTime(database))
  const speech = speak(`${localeOf(reader.language ?? req.portal.locale)}|${zone}`)
  const { text, about } = wordsOf(kind, { facts, count: 1 }, speech)
  const unsubscribe = unsubscribeAddress(mailContext, workspace.slug, {
    person: reader.id,
    kind: kind.chosenWith ?? kind.name,
  })
  const values = notice.mail ? await notice.mail(reader, unsubscribe) : { facts: { text, more: about } }
  await sendMail(
    mailContext,
    req,
    tx,
    notice.mail && kind.mail ? kind.mail : 'notifications.notice',
    { ...reader, person: reader.id },
    {
      url: addressOf(mailContext, workspace.slug, record),
      ...values,
      unsubscribe,
      ...(until && { held: { until, client: record.client } }),
    },
  )
}

interface Queued {
  channel: string
  preferences: Preferences
}

async function queueMessage({ tx, core, req, notice }: Telling, reader: Reader, { channel, preferences }: Queued) {
  const { id: workspace, slug, timeZone } = req.portal.workspace
  const { kind, record, facts } = notice
  const id = uuid()
  await query(tx, {
    text: `insert into portal.client_notification_messages
             (workspace_id, id, client_id, person_id, channel, kind, section, record_id, rest, facts)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      ...[workspace, id, record.client, reader.id, channel, kind],
      ...[record.section, record.id, record.rest ?? '', JSON.stringify(facts)],
    ],
  })
  const now = currentTime(core.database)
  const until = quietUntil(preferences.quiet, zoneOf(reader.timeZone ?? timeZone), now)
  const seconds = until ? Math.ceil((until.getTime() - now.getTime()) / 1_000) : 0
  await core.jobs.queue(tx, { job: 'notifications.send', workspace: { id: workspace, slug }, data: { id }, seconds })
}
