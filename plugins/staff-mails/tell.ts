import type { Knex } from 'knex'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { Colleague } from '../../src/crm/crm.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import type { Facts, MailKind } from '../../src/mail/kinds.ts'
import { entryOf } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { localeOf } from '../../src/platform/i18n.ts'
import type { PluginQueue } from '../../src/plugin/plugin.ts'
import { queueNotice } from './in-crm.ts'
import { kindOfEntry, newsOf, tellingOf } from './news.ts'
import { recipientsOf } from './recipients.ts'
import { type NewsKind, type Rules, rulesOf } from './rules.ts'
import type { News, Parts } from './shape.ts'
import { batchSeconds } from './uploads.ts'

/** The workspace that a job is about. */
export interface Place {
  id: string
  slug: string
}

/** Seconds after which an acceptance that nobody has countersigned is told. */
const patience = 86_400

/** Mails staff of what a client did: the entry of the activity log with this id. Once, however often it is called. */
export async function tellEntry(place: Place, id: string, parts: Parts): Promise<void> {
  const { database, jobs } = parts
  const [rules, entry] = await Promise.all([rulesOf(database, place.id), entryOf(database, place.id, id)])
  const kind = entry && kindOfEntry(entry)
  if (!kind) return
  if (kind === 'uploads') return queueBatch(database, { jobs, place, id })
  if (kind === 'messages') return queueMessages(database, { jobs, place, id })
  const underway = await isUnderway(database, place.id, String(entry.subject.signature))
  await tell({ kind, about: `entry:${id}`, since: entry.at, at: entry.at }, { place, rules, parts })
  if (underway) await queueOutcome(database, { jobs, place, id })
  if (kind !== 'accepted' || !wanted(rules, 'countersignatures', entry.at)) return
  await database.transaction(tx =>
    jobs.queue(tx, { job: 'staff-mails.countersign', workspace: place, data: { entry: id }, seconds: patience }),
  )
}

const queueBatch = (database: Knex, { jobs, place, id }: { jobs: PluginQueue; place: Place; id: string }) =>
  database.transaction(tx =>
    jobs.queue(tx, { job: 'staff-mails.uploads', workspace: place, data: { entry: id }, seconds: batchSeconds }),
  )

/** Mails staff of what a client's person sent, one file after the other, when no more has come for a while. */
export async function tellUploads(place: Place, id: string, parts: Parts): Promise<void> {
  const { database } = parts
  const [rules, entry] = await Promise.all([rulesOf(database, place.id), entryOf(database, place.id, id)])
  if (entry)
    await tell({ kind: 'uploads', about: `upload:${id}`, since: entry.at, at: entry.at }, { place, rules, parts })
}

/** Seconds after which staff are mailed of a message that nobody of them has read. */
const unread = 60

const queueMessages = (database: Knex, { jobs, place, id }: { jobs: PluginQueue; place: Place; id: string }) =>
  database.transaction(tx =>
    jobs.queue(tx, { job: 'staff-mails.messages', workspace: place, data: { entry: id }, seconds: unread }),
  )

/** Mails staff of what a client wrote in a conversation, if nobody has read or answered it meanwhile. */
export async function tellMessages(place: Place, id: string, parts: Parts): Promise<void> {
  const { database } = parts
  const [rules, entry] = await Promise.all([rulesOf(database, place.id), entryOf(database, place.id, id)])
  if (entry)
    await tell({ kind: 'messages', about: `message:${id}`, since: entry.at, at: entry.at }, { place, rules, parts })
}

const queueOutcome = (database: Knex, { jobs, place, id }: { jobs: PluginQueue; place: Place; id: string }) =>
  database.transaction(tx =>
    jobs.queue(tx, { job: 'staff-mails.outcome', workspace: place, data: { entry: id }, seconds: outcomeSeconds }),
  )

/** Mails staff, who were told of a response on its way to the CRM, that the CRM has rejected it. */
export async function tellOutcome(place: Place, id: string, parts: Parts): Promise<void> {
  const { database, jobs } = parts
  const [rules, entry] = await Promise.all([rulesOf(database, place.id), entryOf(database, place.id, id)])
  const kind = entry && kindOfEntry(entry)
  if (!kind) return
  const signature = String(entry.subject.signature)
  if (await isUnderway(database, place.id, signature)) return queueOutcome(database, { jobs, place, id })
  const about = `refused:${signature}`
  await tell({ kind, about, since: entry.at, at: currentTime(database) }, { place, rules, parts })
}

/** Mails staff of an acceptance that still waits for their countersignature, a day after it. */
export async function tellWaiting(place: Place, id: string, parts: Parts): Promise<void> {
  const { database, jobs } = parts
  const [rules, entry] = await Promise.all([rulesOf(database, place.id), entryOf(database, place.id, id)])
  if (!entry) return
  const signature = String(entry.subject.signature)
  if (await isUnderway(database, place.id, signature)) {
    const job = { job: 'staff-mails.countersign', workspace: place, data: { entry: id }, seconds: patience }
    return database.transaction(tx => jobs.queue(tx, job))
  }
  const about = `signature:${signature}`
  await tell({ kind: 'countersignatures', about, since: entry.at, at: currentTime(database) }, { place, rules, parts })
}

/** Whether nobody is to be told, or only of what came later. */
const wanted = (rules: Rules, kind: NewsKind, at: Date): boolean => {
  const { mode, since } = rules.kinds[kind]
  return mode !== 'off' && since !== null && at >= new Date(since)
}

/** Seconds between two looks at a response that is on its way to the CRM. */
const outcomeSeconds = 300

interface Happened {
  kind: NewsKind
  /** Its key. */
  about: string
  /** When it came about, and from when on it is told. */
  since: Date
  at: Date
}

interface Job {
  place: Place
  rules: Rules
  parts: Parts
}

async function tell({ kind, about, since, at }: Happened, { place, rules, parts }: Job): Promise<void> {
  const { database, mailContext, workspaces } = parts
  if (!(mailContext || parts.crm.notify) || !wanted(rules, kind, since)) return
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const news = await newsOf(parts, about, tellingOf(workspace, rules))
  if (!news) return
  const now = currentTime(database)
  const { to, others } = await recipientsOf(rules, { workspace, record: news.record, at, now }, parts)
  const waiting = rules.kinds[kind].mode === 'daily' || (others && rules.othersDaily)
  const key = news.about ?? about
  await within(database, { workspace: place.id }, async tx => {
    await lock(tx, `${place.id} ${key}`)
    if (await isTold(tx, place.id, key)) return
    await keepTold(tx, place.id, { abouts: [key], to, at, waiting })
    await queueNotice(tx, parts, { place, key, news, to })
    if (waiting || !mailContext) return
    const { facts, url } = news
    const mail: StaffMail = { kind: `staff-mails.${news.mail ?? kind}`, facts, url }
    for (const it of to) {
      const replyTo = await replyAddress(tx, parts, { workspace: place.id, news, reader: it })
      await mailStaff(tx, { parts, workspace, rules }, it, { ...mail, ...replyTo })
    }
  })
  mailContext?.outbox.wake()
  parts.jobs.wake()
}

interface Replied {
  workspace: string
  news: News
  reader: Colleague
}

/** Where a reply of this reader goes, where replies to such a mail are received. */
async function replyAddress(tx: Knex, { capability }: Parts, { workspace, news, reader }: Replied) {
  const { record, replies, facts } = news
  if (!record || !replies) return {}
  const by = { kind: 'staff', id: reader.email, ...reader } as const
  const of = { workspace, client: record.client, kind: record.section, id: record.id, by }
  const replyTo = await capability('mailReplies')?.addressFor(tx, of)
  return replyTo ? { replyTo, facts: { ...facts, reply: 'yes' } } : {}
}

/** Two processes that do the same at once do it one after the other. */
export const lock = (tx: Knex, what: string) =>
  query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`portico staff mails ${what}`],
  })

/** An event is told once, to those whom it concerned then. */
async function isTold(tx: Knex, workspace: string, about: string): Promise<boolean> {
  const told = await query(tx, {
    text: 'select from portal.client_staff_mails where workspace_id = $1 and about = $2 limit 1',
    values: [workspace, about],
  })
  return told.length > 0
}

interface Told {
  abouts: string[]
  to: Colleague[]
  at: Date
  waiting: boolean
}

export const keepTold = (tx: Knex, workspace: string, { abouts, to, at, waiting }: Told) =>
  query(tx, {
    text: `insert into portal.client_staff_mails (workspace_id, about, email, name, at, waiting, mailed_at)
           select $1, about, email, name, $5, $6, case when $6 then null else portal.now() end
           from unnest($2::text[]) about, unnest($3::text[], $4::text[]) it (email, name)`,
    values: [workspace, abouts, to.map(it => it.email), to.map(it => it.name), at, waiting],
  })

interface StaffMail {
  kind: MailKind
  facts: Facts
  url: string
  /** Where replies go, where they are received. */
  replyTo?: string
}

interface Mailing {
  parts: Parts
  workspace: BrandedWorkspace
  rules: Rules
}

/** Queues a mail to one of the staff, in the language of the rules. */
export const mailStaff = (
  tx: Knex,
  { parts, workspace, rules }: Mailing,
  { name, email }: Colleague,
  { kind, facts, url, replyTo }: StaffMail,
) =>
  sendMail(
    parts.mailContext!,
    { portal: { workspace, locale: localeOf('') } },
    tx,
    kind,
    { email, name, language: rules.language, timeZone: workspace.timeZone },
    { facts, url, ...(replyTo && { replyTo }) },
  )

/** Whether a response has not reached the CRM yet. */
async function isUnderway(database: Knex, workspace: string, signature: string): Promise<boolean> {
  const rows = await readWithin(
    database,
    { workspace },
    {
      text: `select s.id from portal.client_signatures s where s.workspace_id = scope.workspace and s.id::text = $3
               and s.state in ('saved', 'submitting')`,
      values: [signature],
    },
  )
  return rows.length > 0
}
