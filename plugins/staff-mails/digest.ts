import type { Knex } from 'knex'
import { itemsText } from '../../src/mail/items.ts'
import { query, readWithin, within } from '../../src/platform/database.ts'
import { zoneOf } from '../../src/platform/i18n.ts'
import { newsOf, tellingOf } from './news.ts'
import { type Rules, rulesOf } from './rules.ts'
import type { News, Parts } from './shape.ts'
import { mailStaff, type Place } from './tell.ts'

/** So many events are listed in a digest; the others are counted. */
const most = 50

/** The newest moment of a digest that has come. */
interface Due {
  /** A plain date of the workspace. */
  day: string
  at: Date
}

/**
 * Mails each recipient what waited for the digest: once on a day of the workspace, whatever its clocks do on that day,
 * and however many processes do it at once. A digest that could not be sent at its hour is sent when it can be.
 */
export async function sendDigests(place: Place, parts: Parts): Promise<void> {
  const { database, log, mailContext, workspaces } = parts
  if (!mailContext) return
  const workspace = await workspaces.find(place.slug)
  if (workspace?.id !== place.id) return
  const rules = await rulesOf(database, place.id)
  const due = await dueOf(database, zoneOf(workspace.timeZone), rules.hour)
  for (const [email, waiting] of await waitingFor(database, place.id, due)) {
    const digest = { email, name: waiting[0]?.name ?? '', abouts: waiting.map(it => it.about) }
    await sendDigest(digest, due, { parts, workspace, rules }).catch(err =>
      log.error({ err, workspace: place.slug }, 'a digest for staff could not be sent; the next round tries again'),
    )
  }
  mailContext.outbox.wake()
}

/** An hour that a day has twice is the later one; one that it skips is the next. */
async function dueOf(database: Knex, zone: string, hour: number): Promise<Due> {
  const [due] = await query<Due>(database, {
    text: `select day::text, at from (select (portal.now() at time zone $1)::date as today) t
             cross join lateral (values (today), (today - 1), (today - 2)) d (day)
             cross join lateral (select (day + make_interval(hours => $2)) at time zone $1 as at) moment
           where at <= portal.now() order by day desc limit 1`,
    values: [zone, hour],
  })
  return due!
}

interface Waiting {
  email: string
  name: string
  about: string
}

/** What came before the digest's moment, by recipient, for those who had none on that day yet. */
async function waitingFor(database: Knex, workspace: string, { day, at }: Due) {
  const rows = await readWithin<Waiting>(
    database,
    { workspace },
    {
      name: 'portal.staff-digests',
      text: `select m.email, m.name, m.about from portal.client_staff_mails m
             where m.workspace_id = scope.workspace and m.waiting and m.at < $3 and not exists (
               select from portal.client_staff_digests d
               where d.workspace_id = m.workspace_id and d.email = m.email and d.day = $4::date)
             order by m.at, m.about limit 5000`,
      values: [at, day],
    },
  )
  return Map.groupBy(rows, it => it.email)
}

interface Digest {
  email: string
  name: string
  abouts: string[]
}

type Mailing = Parameters<typeof mailStaff>[1] & { rules: Rules }

async function sendDigest({ email, name, abouts }: Digest, { day }: Due, mailing: Mailing): Promise<void> {
  const { parts, workspace, rules } = mailing
  const telling = tellingOf(workspace, rules)
  const listed: News[] = []
  for (const about of abouts.slice(0, most)) {
    const news = await newsOf(parts, about, telling)
    if (news) listed.push(news)
  }
  const more = Math.max(abouts.length - most, 0)
  const others = more ? [{ title: telling.speech.t('And {more} more', { more }), text: '' }] : []
  const facts = { count: listed.length + more, items: itemsText([...listed, ...others]) }
  await within(parts.database, { workspace: workspace.id }, async tx => {
    const [first] = await query(tx, {
      text: `insert into portal.client_staff_digests (workspace_id, email, day) values ($1, $2, $3)
             on conflict do nothing returning day`,
      values: [workspace.id, email, day],
    })
    if (!first) return
    await query(tx, {
      text: `update portal.client_staff_mails set waiting = false, mailed_at = portal.now()
             where workspace_id = $1 and email = $2 and about = any($3) and waiting`,
      values: [workspace.id, email, abouts],
    })
    if (!listed.length) return
    const url = `${parts.settingsAddress}/responses`
    await mailStaff(tx, mailing, { email, name }, { kind: 'staff-mails.digest', facts, url })
  })
}
