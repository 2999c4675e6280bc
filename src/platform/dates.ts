import { Temporal } from 'temporal-polyfill'

const { PlainDate } = Temporal

/** The instant at which a plain date begins in a time zone: midnight, or the first moment where clocks skip it. */
export const dayBegins = (date: string, zone: string): Date =>
  new Date(PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds)

/** The plain date some days later, or earlier. */
export const daysLater = (date: string, days: number): string => PlainDate.from(date).add({ days }).toString()
