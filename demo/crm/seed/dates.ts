const months = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' })

export type Calendar = {
  today: string
  day(offset: number): string
}

export function calendar(today: string): Calendar {
  const start = Date.parse(`${today}T00:00:00Z`)
  return { today, day: offset => new Date(start + offset * 86_400_000).toISOString().slice(0, 10) }
}

export function at(day: string, time: string): string {
  return `${day}T${time}:00Z`
}

export function monthName(day: string): string {
  return months.format(new Date(`${day}T00:00:00Z`))
}

export function year(day: string): number {
  return Number(day.slice(0, 4))
}
