import { daysBetween } from '../../src/crm/document.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { daysLater } from '../../src/platform/dates.ts'
import type { Home, Need } from '../../src/plugin/dashboard.ts'
import type { Summary } from './port.ts'

/** So many tasks stand on the home page, and only what is due within so many days. */
const most = 3
const ahead = 7

/** What the dashboard says of tasks: the first that are due, for people who can complete them. */
export async function home(context: RequestContext): Promise<Home> {
  const { crm, customer, may, t } = context
  const counts = await crm.tasks.overview()
  const list = { icon: 'list-check', path: '/tasks' }
  if (!may('tasks.complete') || !counts.mine) {
    return { needs: [], figures: [], actions: [{ ...list, title: t('View tasks'), count: counts.everybody }] }
  }
  const { items } = await crm.tasks.list({ status: 'mine', sort: 'due', size: most })
  const last = daysLater(customer.today, ahead)
  const soon = items.filter(it => it.dueOn && it.dueOn <= last)
  return {
    needs: soon.map(it => need(it, context)),
    figures: [],
    actions: [{ ...list, title: t('View your tasks'), count: counts.mine }],
  }
}

const need = (task: Summary, context: RequestContext): Need => ({
  tone: task.overdue ? 'bad' : '',
  icon: task.overdue ? 'alert-triangle' : 'list-check',
  title: task.title,
  about: [dueText(task, readingOf(context)), task.project].filter(Boolean).join(' · '),
  amount: [],
  path: `/tasks/${encodeURIComponent(task.id)}`,
  action: 'View',
  by: task.dueOn ?? context.customer.today,
})

/** The reader's words, and the plain date at the workspace. */
export type Reading = Pick<RequestContext, 't' | 'nearDay' | 'shortDay' | 'day'> & { today: string }

export const readingOf = (context: RequestContext): Reading => {
  const { customer, t, nearDay, shortDay, day } = context
  return { today: customer.today, t, nearDay, shortDay, day }
}

/** "3 days late", "Today", "Tomorrow", "Wed 25 Nov": when a task is due. */
export function dueText({ dueOn, overdue }: Pick<Summary, 'dueOn' | 'overdue'>, it: Reading): string {
  const { today, t, nearDay, shortDay, day } = it
  if (!dueOn) return ''
  const days = daysBetween(today, dueOn)
  if (overdue) return t('{days, plural, one {# day late} other {# days late}}', { days: -days })
  if (days === 0) return t('Today')
  if (days === 1) return t('Tomorrow')
  if (days > 1 && days < 7) return nearDay(dueOn)
  return dueOn.slice(0, 4) === today.slice(0, 4) ? shortDay(dueOn) : day(dueOn)
}
