import { z } from 'zod'
import { pageOf } from '../../src/http/paging.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { saveChange, saveNew, saveWithdrawal, showDesk, showForm, showOneToStaff } from './desk.ts'
import { fixtures } from './fixtures.ts'
import { home } from './home.ts'
import { Dismissing, Filter, saveDismissal, showList, showOne } from './pages.ts'
import { Announcement } from './port.ts'
import { storeOf } from './store.ts'
import { tellAnnouncement } from './telling.ts'

/** What a workspace tells its clients: all of them, some, or some of their roles, from one day until another. */
export default section({
  name: 'announcements',
  title: 'Announcements',
  icon: 'speakerphone',
  order: 75,
  home,
  notifications: {
    'announcements.published': {
      label: 'Announcements',
      group: 'account',
      sentence: '{title}',
      example: { title: 'New opening hours' },
      channels: { mail: false, summary: true },
    },
  },
  jobs: { 'announcements.tell': tellAnnouncement },
  store: (customer, database) => storeOf(customer, database),

  permissions: {
    'announcements.see': {
      label: 'See announcements',
      roles: ['admin', 'approver', 'billing', 'member', 'viewer'],
    },
  },

  toggles: {
    announcements: {
      label: 'Announcements',
      about: 'Clients see what you announce, on their first page.',
      default: true,
    },
  },

  responseSchemas: {
    'announcements/list': pageOf(Announcement),
    'announcements/show': z.object({ announcement: Announcement }),
  },
  requestSchemas: { 'announcements/list': Filter, 'announcements/dismissal': Dismissing },

  activity: {
    'announcements.published': 'published the announcement {title}',
    'announcements.changed': 'changed the announcement {title}',
    'announcements.withdrawn': 'withdrew the announcement {title}',
    'announcements.viewed': { kind: 'view', sentence: 'read the announcement {title}' },
  },

  routes(router) {
    router.get('/', may('announcements.see'), showList)
    router.get('/:id', may('announcements.see'), showOne)
    router.post('/:id/dismissal', may('announcements.see'), saveDismissal)
  },

  settings: {
    title: 'Announcements',
    icon: 'speakerphone',
    order: 60,
    group: 'messages',
    routes(router, host) {
      const form = showForm(host)
      const again = showAgainOnError(form)
      const show = showOneToStaff(host)
      router.get('/', admins, showDesk(host))
      router.post('/', admins, saveNew(host), again)
      router.get('/new', admins, form)
      router.post('/new', admins, form, again)
      router.get('/:id', admins, show)
      router.post('/:id', admins, saveChange(host), again)
      router.get('/:id/edit', admins, form)
      router.post('/:id/edit', admins, form, again)
      router.post('/:id/withdrawal', admins, saveWithdrawal(host), showAgainOnError(show))
    },
  },

  fixtures,

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      announcements: await query(tx, {
        text: `select a.title, r.read_at, r.dismissed_at from portal.client_announcement_reads r
                 join portal.client_announcements a on a.workspace_id = r.workspace_id and a.id = r.announcement_id
               where r.workspace_id = $1 and r.person_id = $2::text order by r.read_at`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: 'delete from portal.client_announcement_reads where workspace_id = $1 and person_id = $2::text',
        values: [workspace, person],
      })
    },
  },
})
