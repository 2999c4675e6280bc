import type { RequestContext } from '../../src/http/context.ts'
import type { Action, Home } from '../../src/plugin/dashboard.ts'
import type { Counts } from './port.ts'

/** So many conversations are named on the first page. */
const most = 3

/** What the dashboard says of messages: those that the reader has not read. */
export async function home(context: RequestContext): Promise<Home> {
  const { crm, t, customer } = context
  const [{ items }, counts] = await Promise.all([
    crm.messages.list({ status: 'unread', size: most }),
    crm.messages.overview(),
  ])
  return {
    needs: items.map(it => ({
      tone: '',
      icon: 'messages',
      title: t('{name}: {title}', { name: it.last.name, title: it.title }),
      about: it.last.text || t('A file'),
      amount: [],
      path: `/messages/${encodeURIComponent(it.id)}`,
      action: 'Read',
      by: customer.today,
    })),
    figures: [],
    actions: actionsOf(counts, context),
  }
}

function actionsOf({ all, unread }: Counts, { t, may }: RequestContext): Action[] {
  const icon = 'messages'
  if (all) return [{ icon, title: t('View messages'), path: '/messages', count: unread }]
  return may('messages.write') ? [{ icon, title: t('Send a message'), path: '/messages/new' }] : []
}
