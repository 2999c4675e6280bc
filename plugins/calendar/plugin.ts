import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { anybody } from '../../src/http/rules.ts'
import { query } from '../../src/platform/database.ts'
import { may, stepUp } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { sendFeed } from './feed.ts'
import { cardOf, endCalendar, Making, makeCalendar, showCalendar } from './pages.ts'
import { calendarOf } from './store.ts'

const Shown = z.object({
  /** When the address was made, if there is one. */
  since: z.date().optional(),
  /** In the response to its creation only. */
  address: z.string().optional(),
})

/**
 * A secret address by which a person's own calendar shows what is due: `due`, `payable` and `expiring` of all subjects.
 */
export default section({
  name: 'calendar',
  title: 'Calendar',
  icon: 'calendar',
  order: 935,
  unlisted: true,
  store: calendarOf,

  permissions: {
    'calendar.see': { label: 'Subscribe to due dates', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
  },

  toggles: {
    calendar: {
      label: 'Calendar',
      about: 'Clients can see what is due in their own calendar, by a secret address that shows titles and dates.',
      default: true,
    },
  },

  responseSchemas: { 'calendar/show': Shown },
  requestSchemas: { 'calendar/show': Making },
  views: { list: 'show' },

  activity: {
    'calendar.made': 'created an address for their calendar',
    'calendar.ended': 'ended the address of their calendar',
  },

  stepUps: { 'calendar.make': { label: 'Create a calendar address', level: 'verification' } },

  slots: { account: { view: 'calendar/card', data: cardOf } },

  routes(router, host) {
    const core = coreHostOf(host)
    router.get('/', may('calendar.see'), showCalendar(core))
    router.post('/', may('calendar.see'), stepUp('calendar.make'), makeCalendar(core))
    router.post('/end', may('calendar.see'), endCalendar(core))
  },

  public: {
    path: 'calendar-feed',
    routes(router, host) {
      router.get('/:token/calendar.ics', anybody, sendFeed(coreHostOf(host)))
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      calendar: await query(tx, {
        text: 'select created_at from portal.client_calendars where workspace_id = $1 and person_id = $2',
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: 'delete from portal.client_calendars where workspace_id = $1 and person_id = $2',
        values: [workspace, person],
      })
    },
  },
})
