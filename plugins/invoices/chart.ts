import type { RequestContext } from '../../src/http/context.ts'
import type { Chart } from '../../src/plugin/dashboard.ts'
import type { Overview } from './port.ts'

/** The first day of the month so many months before a plain date's. */
export function monthsBefore(date: string, count: number): string {
  const month = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 - count
  return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`
}

/** Twelve months in the currency with the most active months; undefined if only one month has amounts. */
export function chartOf(told: Overview['months'], { t, customer: { today } }: RequestContext): Chart | undefined {
  const byCurrency = [...Map.groupBy(told, it => it.invoiced.currency)]
  const [currency, its] = byCurrency.sort((a, b) => b[1].length - a[1].length)[0] ?? ['', []]
  if (its.length < 2) return undefined
  const nothing = { amount: '0.00', currency }
  const months = Array.from({ length: 12 }, (_, at) => {
    const month = monthsBefore(today, 11 - at).slice(0, 7)
    const it = its.find(one => one.month === month)
    return { month, first: it?.invoiced ?? nothing, second: it?.paid ?? nothing }
  })
  return { title: t('Invoiced and paid'), first: t('Invoiced'), second: t('Paid'), months }
}
