import type { Request } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { readWithin } from '../../src/platform/database.ts'
import { dateIn, type Speech, zoneOf } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { optionOf } from '../../src/settings/plugin-options.ts'

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Enter a time such as 9:00.')

/** When staff answer, in the workspace's time zone: days from 1, Monday, to 7. Nothing is said where there is none. */
export const Hours = z
  .object({
    days: z.array(z.number().int().min(1).max(7)).min(1, 'Choose at least one day.'),
    from: clock,
    to: clock,
  })
  .refine(it => it.from < it.to, { message: 'The end must be after the beginning.', path: ['to'] })
  .nullable()
  .default(null)
export type Hours = NonNullable<z.infer<typeof Hours>>

/** What a client reads below the field: when somebody is there, and how long answers usually take. */
export async function availabilityOf(host: Host, { portal }: Request<any>) {
  const { workspace, now } = portal
  const [hours, seconds] = await Promise.all([
    optionOf<Hours | null>(host, workspace.id, 'messages.hours'),
    usualAnswer(host.database, workspace.id),
  ])
  return {
    hours: hours && hoursText(portal, hours, { zone: zoneOf(workspace.timeZone), now }),
    usually: usualText(portal, seconds),
  }
}

/** So many answers at least, of the last 90 days, say how long one usually takes; no more than the newest are counted. */
const answers = { least: 5, most: 200 }

/** Seconds within which three of four answers came; undefined where there are too few. */
export async function usualAnswer(database: Knex, workspace: string): Promise<number | undefined> {
  const [row] = await readWithin<{ seconds: number | null; count: number }>(
    database,
    { workspace },
    {
      name: 'portal.usual-answer',
      text: `select percentile_disc(0.75) within group (order by m.answered_after) as seconds, count(*)::int as count from (
               select m.answered_after from portal.client_messages m
               where m.workspace_id = scope.workspace and m.answered_after is not null and m.at > portal.now() - interval '90 days'
               order by m.at desc limit ${answers.most}) m`,
    },
  )
  return row && row.count >= answers.least ? (row.seconds ?? undefined) : undefined
}

/** "Usually answers within 2 hours": rounded up, never less than a quarter of an hour. */
export function usualText({ t }: Pick<Speech, 't'>, seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined
  if (seconds <= 900) return t('We usually answer within 15 minutes.')
  const hours = Math.ceil(seconds / 3_600)
  if (hours <= 24) return t('We usually answer within {hours, plural, one {an hour} other {# hours}}.', { hours })
  return t('We usually answer within {days, plural, one {a day} other {# days}}.', { days: Math.ceil(hours / 24) })
}

type Reading = Pick<Speech, 't' | 'locale'>

/** "Open Monday to Friday, 9:00 to 17:30." And where it is closed now: "Expect an answer on Monday." */
export function hoursText(reading: Reading, hours: Hours, { zone, now }: { zone: string; now: Date }): string {
  const { t, locale } = reading
  const times = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: 'UTC' })
  const time = (it: string) => times.format(new Date(`2026-01-05T${it}:00Z`))
  const open = t('Open {days}, {from} to {to}.', {
    days: daysText(reading, hours.days),
    ...{ from: time(hours.from), to: time(hours.to) },
  })
  const next = nextOpening(hours, zone, now)
  if (next === undefined) return open
  const day = weekday(locale, next.day)
  const expect =
    next.in === 0
      ? t('Closed now: expect an answer today from {time}.', { time: time(hours.from) })
      : next.in === 1
        ? t('Closed now: expect an answer tomorrow.')
        : t('Closed now: expect an answer on {day}.', { day })
  return `${open} ${expect}`
}

/** In how many days staff are there again, and on which day; undefined while they are. */
function nextOpening({ days, from, to }: Hours, zone: string, now: Date): { in: number; day: number } | undefined {
  const date = dateIn(zone, now)
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone }).format(now)
  const today = new Date(`${date}T00:00:00Z`).getUTCDay() || 7
  const dayIn = (later: number) => ((today - 1 + later) % 7) + 1
  if (days.includes(today) && time >= from && time < to) return undefined
  const later = [0, 1, 2, 3, 4, 5, 6, 7].find(it => days.includes(dayIn(it)) && (it > 0 || time < from)) ?? 7
  return { in: later, day: dayIn(later) }
}

/** A Monday is the 5th of January 2026. */
const weekday = (locale: string, day: number) =>
  new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2026, 0, 4 + day)))

/** "Monday to Friday", or all of them: "Monday, Tuesday and Thursday". */
function daysText({ t, locale }: Reading, chosen: number[]): string {
  const days = [...new Set(chosen)].sort((a, b) => a - b)
  const [first = 1, last = 7] = [days[0], days.at(-1)]
  if (days.length > 2 && last - first === days.length - 1)
    return t('{first} to {last}', { first: weekday(locale, first), last: weekday(locale, last) })
  return new Intl.ListFormat(locale).format(days.map(it => weekday(locale, it)))
}
