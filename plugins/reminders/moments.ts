import { daysLater } from '../../src/platform/dates.ts'

/**
 * When clients are reminded: a row of a workspace's settings, in days before the end of validity, as `3 0`, or `none`.
 */
export const momentsName = 'reminders'
export const mostMoments = 3
export const furthest = 60

export const momentsIn = (value: unknown): number[] =>
  (typeof value === 'string' ? value : '3 0').split(' ').map(Number).filter(Number.isInteger)

/** The earliest first, each once. */
export const momentsText = (days: number[]): string => [...new Set(days)].sort((a, b) => b - a).join(' ') || 'none'

/** The plain date of the moment that came last; none before the first, and none that an offer is too young for. */
export const momentOf = (days: number[], { sentOn, validUntil }: Dates, today: string): string | undefined =>
  days
    .map(it => daysLater(validUntil, -it))
    .filter(it => it <= today && it > sentOn)
    .sort()
    .at(-1)

/** Plain dates. */
interface Dates {
  sentOn: string
  validUntil: string
}
