import { daysBetween } from '../../src/crm/document.ts'
import type { RequestContext } from '../../src/http/context.ts'
import type { Speech } from '../../src/platform/i18n.ts'

/** Days ahead that are counted; a later day is named. */
const near = 14

/** Says when something is due, inside a sentence or after a dot. */
export function dueWords({ t, day }: Pick<Speech, 't' | 'day'>, dueOn: string, today: string): string {
  const ahead = daysBetween(today, dueOn)
  if (ahead < 0) return t('{days, plural, one {# day late} other {# days late}}', { days: -ahead })
  if (ahead === 0) return t('due today')
  if (ahead === 1) return t('due tomorrow')
  return ahead <= near ? t('due in {days} days', { days: ahead }) : t('due on {day}', { day: day(dueOn) })
}

/** Days ahead from which on something is due soon. */
const soon = 3

/** What views say of a day. */
export const dueOf = (context: RequestContext, today: string) => ({
  words: (dueOn: string) => dueWords(context, dueOn, today),
  isLate: (dueOn: string) => dueOn < today,
  isSoon: (dueOn: string) => daysBetween(today, dueOn) <= soon,
})
