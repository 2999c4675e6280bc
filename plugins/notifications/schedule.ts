import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'

const hour = z.coerce.number().int().min(0).max(23)

/** When nobody is to be disturbed, in the reader's own time zone: from one hour until another, and on weekends. */
export const Quiet = z.object({ from: hour, until: hour, weekend: z.boolean() })
export type Quiet = z.infer<typeof Quiet>

/** When the summary comes: every day, or on one day of the week (1 is Monday), at an hour of the reader's. */
export const Summary = z.object({
  hour: hour.default(8),
  weekday: z.coerce.number().int().min(1).max(7).nullable().default(null),
})
export type Summary = z.infer<typeof Summary>
export const defaultSummary: Summary = { hour: 8, weekday: null }

/**
 * The moment at which somebody's quiet hours end; undefined where they may be told now. Whatever clocks do meanwhile, it
 * is a moment outside of the quiet hours, a week away at most.
 */
export function quietUntil(quiet: Quiet | null, zone: string, now: Date): Date | undefined {
  if (!quiet) return undefined
  let at = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(zone)
  if (!isQuiet(quiet, at)) return undefined
  // In quarters, since clocks may change by half an hour.
  for (let quarters = 0; quarters < 4 * 24 * 8 && isQuiet(quiet, at); quarters++)
    at = at.round({ smallestUnit: 'minute', roundingIncrement: 15, roundingMode: 'floor' }).add({ minutes: 15 })
  return new Date(at.epochMilliseconds)
}

function isQuiet({ from, until, weekend }: Quiet, { dayOfWeek, hour: its }: Temporal.ZonedDateTime): boolean {
  if (weekend && dayOfWeek > 5) return true
  if (from === until) return false
  return from < until ? its >= from && its < until : its >= from || its < until
}

/** The newest moment of a summary that has come. */
export interface SummaryMoment {
  /** A plain date of the reader. */
  day: string
  at: Date
}

/**
 * The newest moment at which a summary was due. An hour that a day does not have is the next one; of one that it has
 * twice the first counts.
 */
export function summaryMoment({ hour: its, weekday }: Summary, zone: string, now: Date): SummaryMoment {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime())
  let day = instant.toZonedDateTimeISO(zone).toPlainDate()
  for (;;) {
    const at = day.toZonedDateTime({ timeZone: zone, plainTime: { hour: its } })
    const fits = weekday === null || day.dayOfWeek === weekday
    if (fits && at.epochMilliseconds <= now.getTime())
      return { day: day.toString(), at: new Date(at.epochMilliseconds) }
    day = day.subtract({ days: 1 })
  }
}
