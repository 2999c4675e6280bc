/** The instant at which a plain date begins in a time zone: midnight, or the first moment where clocks skip it. */
export function dayBegins(date: string, zone: string): Date {
  const guess = Date.parse(`${date}T00:00:00Z`)
  const first = guess - offsetAt(guess, zone)
  return new Date(guess - offsetAt(first, zone))
}

/** The plain date some days later, or earlier. */
export const daysLater = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)

/** How far a time zone is ahead of UTC at an instant, in milliseconds. */
function offsetAt(instant: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant)
  const of = (type: string) => Number(parts.find(it => it.type === type)?.value)
  const there = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return there - Math.floor(instant / 1000) * 1000
}
