import type { RequestContext } from '../../src/http/context.ts'
import type { Home } from '../../src/plugin/dashboard.ts'
import { summaryOf } from './text.ts'

/** How many are on the first page; all are on the page of their own. */
const most = 5

/** Important ones on top, the others in their card; what this person has dismissed is not there. */
export async function home({ crm }: RequestContext): Promise<Home> {
  const all = await crm.announcements.current(most)
  return {
    needs: [],
    figures: [],
    notices: all
      .filter(it => it.important)
      .map(({ id, title, text }) => ({
        ...{ title, text: summaryOf(text), path: `/announcements/${id}` },
        dismissal: `/announcements/${id}/dismissal`,
      })),
    news: all
      .filter(it => !it.important)
      .map(({ id, title, text, publishedOn }) => ({
        ...{ title, text: summaryOf(text, 120), on: publishedOn, path: `/announcements/${id}` },
      })),
  }
}
