import type { RequestContext } from '../../src/http/context.ts'
import type { Home } from '../../src/plugin/dashboard.ts'
import { dueWords } from './words.ts'

/** So many lists are named on the first page. */
const most = 3

/** What the dashboard says of requests: what is to be sent, the first due first. */
export async function home(context: RequestContext): Promise<Home> {
  const { crm, t, may, workspace, customer } = context
  if (!may('requests.upload')) return { needs: [], figures: [] }
  const { items } = await crm.requests.list({ status: 'open', sort: 'due', size: most })
  return {
    needs: items.map(it => ({
      tone: it.overdue ? 'bad' : it.returned ? 'warn' : '',
      icon: 'clipboard-list',
      title: it.returned
        ? t('{name}: {count, plural, one {# thing was sent back} other {# things were sent back}}', {
            name: it.name,
            count: it.returned,
          })
        : t('{workspace} asks for {name}', { workspace: workspace.name, name: it.name }),
      about: [
        t('{done} of {items} done', { done: it.done, items: it.items }),
        it.dueOn && dueWords(context, it.dueOn, customer.today),
      ]
        .filter(Boolean)
        .join(' · '),
      amount: [],
      path: `/requests/${encodeURIComponent(it.id)}`,
      action: 'Send',
      by: it.dueOn ?? customer.today,
    })),
    figures: [],
    actions: [],
  }
}
