import type { Knex } from 'knex'
import type { AlertFacts, AlertKind } from '../../src/auth/alerts.ts'
import type { CoreHost } from '../../src/auth/host.ts'
import { sendMail } from '../../src/auth/mail-context.ts'
import type { Colleague, Workspace } from '../../src/crm/crm.ts'
import { CrmUnavailable } from '../../src/http/errors.ts'
import type { Facts } from '../../src/mail/kinds.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { drifted, query, unreachable, within } from '../../src/platform/database.ts'
import { localeOf, type Speech } from '../../src/platform/i18n.ts'
import { adminsOf, onceEach, ownAdmins } from '../../src/settings/admins.ts'
import { alertKinds, type Rules, rulesOf } from './rules.ts'

/** An alert as it is raised. */
interface Raised {
  workspace: string
  id: string
  kind: AlertKind
  facts: AlertFacts
}

/** Writes it to the activity log and queues its mail, in the transaction that keeps it. */
export async function noteAlert(tx: Knex, { workspace, id, kind, facts }: Raised): Promise<void> {
  await insert(tx, [bySystem(workspace, { event: `alerts.${kind}`, subject: { id, ...facts } })])
  await query(tx, {
    text: 'insert into portal.client_alert_queue (workspace_id, alert_id, kind) values ($1, $2, $3)',
    values: [workspace, id, kind],
  })
}

type Parts = Pick<
  CoreHost,
  'capability' | 'crm' | 'database' | 'log' | 'mailContext' | 'settingsAddress' | 'workspaces'
>

interface Place {
  id: string
  slug: string
}

/** Mails the alerts that wait: of each kind one mail an hour, however many processes do it at once. */
export async function mailAlerts(place: Place, parts: Parts): Promise<void> {
  const { capability, database, mailContext, workspaces } = parts
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const rules = await rulesOf(database, place.id)
  const to = mailContext ? await recipientsOf(rules, workspace, parts) : []
  const language = (await capability('staffMails')?.language(place.id)) ?? ''
  for (const kind of alertKinds)
    await within(database, { workspace: place.id }, async tx => {
      const alerts = await takeWaiting(tx, place.id, { kind, mailed: to.length > 0 })
      if (alerts.length) await mailAll(tx, parts, { workspace, language, to, kind, alerts })
    })
  mailContext?.outbox.wake()
}

/** Whom to mail, each once. While the CRM does not answer, only those whom the portal itself knows; throws if it knows none. */
async function recipientsOf({ toAdmins, addresses }: Rules, workspace: Workspace, parts: Parts): Promise<Colleague[]> {
  const others = addresses.map(email => ({ name: '', email }))
  if (!toAdmins) return others
  const admins = await adminsOf(parts, workspace).catch(async err => {
    if (!(unreachable(err) || drifted(err) || err instanceof CrmUnavailable)) throw err
    const own = await ownAdmins(parts.database, workspace.id)
    if (!own.length && !others.length) throw err
    parts.log.warn(
      { err, workspace: workspace.slug },
      'the CRM does not answer; alerts are mailed to set addresses only',
    )
    return own
  })
  return onceEach([...admins, ...others])
}

interface Waiting {
  at: Date
  facts: AlertFacts
}

/**
 * Takes what waits of a kind out of the queue, unless there was a mail of that kind within the hour. Two processes at once
 * take turns: the second one finds the first one's mail. What has waited for a day, such as while the portal was off, is
 * not mailed any more; nor is anything where nobody is mailed.
 */
async function takeWaiting(tx: Knex, workspace: string, { kind, mailed }: { kind: AlertKind; mailed: boolean }) {
  await query(tx, {
    text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`portico alerts ${workspace} ${kind}`],
  })
  await query(tx, {
    text: `delete from portal.client_alert_queue q
           where q.workspace_id = $1 and q.kind = $2 and (q.queued_at < portal.now() - interval '1 day' or not $3)`,
    values: [workspace, kind, mailed],
  })
  return query<Waiting>(tx, {
    text: `with taken as (
             delete from portal.client_alert_queue q
             where q.workspace_id = $1 and q.kind = $2 and not exists (
               select from portal.client_alert_mails m
               where m.workspace_id = $1 and m.kind = $2 and m.mailed_at > portal.now() - interval '1 hour')
             returning q.alert_id
           ), noted as (
             insert into portal.client_alert_mails (workspace_id, kind, mailed_at)
             select $1, $2, portal.now() from taken limit 1
             on conflict (workspace_id, kind) do update set mailed_at = excluded.mailed_at
           )
           select a.at, a.facts from portal.client_alerts a join taken on a.id = taken.alert_id
           where a.workspace_id = $1 order by a.id`,
    values: [workspace, kind],
  })
}

interface Mailing {
  workspace: Awaited<ReturnType<CoreHost['workspaces']['find']>> & object
  language: string
  to: Colleague[]
  kind: AlertKind
  alerts: Waiting[]
}

async function mailAll(tx: Knex, parts: Parts, { workspace, language, to, kind, alerts }: Mailing): Promise<void> {
  const { mailContext, settingsAddress } = parts
  if (!mailContext) return
  const req = { portal: { workspace, locale: localeOf('') } }
  const url = settingsAddress ? { url: `${settingsAddress}/alerts` } : {}
  const facts = (speech: Speech) => factsOf(alerts, speech)
  for (const { name, email } of to) {
    const reader = { name, email, language, timeZone: workspace.timeZone }
    await sendMail(mailContext, req, tx, `alerts.${kind}`, reader, { facts, ...url })
  }
}

/** So many sources are named in a mail. */
const most = 20

/** What all of them say together. */
function factsOf(alerts: Waiting[], { t, time }: Speech): Facts {
  const sources = Map.groupBy(alerts, ({ facts }) => facts.address ?? facts.name ?? '')
  const named = [...sources].map(([from, its]) =>
    its.length > 1 ? t('{from} ({times} times)', { from, times: timesOf(its) }) : from,
  )
  const more = named.length - most
  const since = Math.min(...alerts.map(({ at, facts }) => (facts.since ? Date.parse(facts.since) : at.getTime())))
  return {
    times: timesOf(alerts),
    since: time(new Date(since)),
    from: [...named.slice(0, most), ...(more > 0 ? [t('and {count} more', { count: more })] : [])].join(', '),
  }
}

const timesOf = (alerts: Waiting[]) => alerts.reduce((sum, { facts }) => sum + facts.times, 0)
