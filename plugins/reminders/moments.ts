import { daysLater } from '../../src/platform/dates.ts'

/**
 * When clients are reminded of offers: a row of a workspace's settings, in days before the end of validity, as `3 0`, or
 * `none`.
 */
export const momentsName = 'reminders'
export const mostMoments = 3
export const furthest = 60

export const momentsIn = (value: unknown): number[] =>
  (typeof value === 'string' ? value : '3 0').split(' ').map(Number).filter(Number.isInteger)

/** The earliest first, each once. */
export const momentsText = (days: number[]): string => [...new Set(days)].sort((a, b) => b - a).join(' ') || 'none'

/** The plain date of the moment that came last; none before the first, and none that an offer is too young for. */
export const momentOf = (days: number[], { sentOn, validUntil }: OfferDates, today: string): string | undefined =>
  days
    .map(it => daysLater(validUntil, -it))
    .filter(it => it <= today && it > sentOn)
    .sort()
    .at(-1)

/** Plain dates. */
interface OfferDates {
  sentOn: string
  validUntil: string
}

/**
 * When clients are reminded of payments: another row, in days from the due date, as `-3 0 +7`, or `none`, as long as no
 * admin has chosen.
 */
export const paymentMomentsName = 'reminders.payments'

export const paymentMomentsIn = (value: unknown): number[] =>
  (typeof value === 'string' ? value : 'none').split(' ').map(Number).filter(Number.isInteger)

/** The same of tasks and requests. */
export const workMomentsName = 'reminders.work'

/** The earliest first, each once. */
export const paymentMomentsText = (days: number[]): string =>
  [...new Set(days)]
    .sort((a, b) => a - b)
    .map(it => (it > 0 ? `+${it}` : String(it)))
    .join(' ') || 'none'

/**
 * For so many days a moment of a payment counts: enough for a portal that was down over a weekend, too few for a flood of
 * old debts when reminders are switched on or somebody is invited.
 */
export const lasting = 3

/**
 * The plain date of the moment that came last, if it still counts. One before or on the due date never counts after that:
 * nobody is told that something is overdue where the workspace did not choose that.
 */
export const paymentMomentOf = (days: number[], { sentOn, dueOn }: PaymentDates, today: string): string | undefined =>
  days
    .filter(it => it > 0 || today <= dueOn)
    .map(it => daysLater(dueOn, it))
    .filter(it => it <= today && today <= daysLater(it, lasting) && it > sentOn)
    .sort()
    .at(-1)

/** Plain dates. */
interface PaymentDates {
  /** Empty where it is not known. */
  sentOn: string
  dueOn: string
}
