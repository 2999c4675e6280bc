import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { saveDefaults, showDefaults } from './desk.ts'
import { fixtures } from './fixtures.ts'
import { mails } from './mails.ts'
import { Filter, openNotification, readOnPage, saveRead, seenBy, showNotifications } from './pages.ts'
import { PreferencesForm, savePreferences, showPreferences } from './preferences.ts'
import { privacy } from './privacy.ts'
import { sendMessage } from './send.ts'
import { notificationsOf } from './store.ts'
import { sendSummaries } from './summary.ts'
import { tell } from './tell.ts'
import { unsubscribeRoutes } from './unsubscribe.ts'

const everybody = ['admin', 'approver', 'billing', 'member', 'viewer'] as const

const Notification = z.object({
  id: z.string(),
  kind: z.string(),
  text: z.string(),
  about: z.string(),
  at: z.date(),
  read: z.boolean(),
  count: z.number(),
  section: z.string(),
  record: z.string(),
})

const Quiet = z.object({ from: z.number(), until: z.number(), weekend: z.boolean() })
const Cell = z.object({ value: z.string(), on: z.boolean(), forced: z.boolean() })
const Kind = z.object({ name: z.string(), label: z.string(), cells: z.array(Cell) })

const Preferences = z.object({
  columns: z.array(z.object({ name: z.string(), label: z.string() })),
  groups: z.array(z.object({ label: z.string(), kinds: z.array(Kind) })),
  quiet: Quiet.nullable(),
  summary: z.object({ hour: z.number(), weekday: z.number().nullable() }),
})

/**
 * What is new for each person: behind a bell, by e-mail at once or in a summary, and by channels of other plugins, as
 * workspace and person choose. Plugins declare what they tell (`notifications`) and tell it by `notifyPeople`.
 */
export default section({
  name: 'notifications',
  title: 'Notifications',
  icon: 'bell',
  order: 950,
  unlisted: true,
  live: 'person',
  changedSince: ({ portal }, since) => portal.crm.notifications.isNewSince(since),
  mails,
  privacy,
  notifications: {
    'notifications.device': {
      label: 'Sign-ins and security',
      group: 'account',
      sentence: 'New sign-in from {device}',
      about: 'If this wasn’t you, sign that device out.',
      example: { device: 'Firefox on Windows' },
      icon: 'devices',
      always: true,
    },
  },
  sentences: ['Work', 'bell and page', 'right away', 'by e-mail'],

  permissions: { 'notifications.see': { label: 'See notifications', roles: everybody } },

  toggles: {
    notifications: {
      label: 'Notifications',
      about: 'Clients see what is new for them behind a bell, and choose how they are told.',
      default: true,
    },
  },

  activity: {
    'notifications.changed': 'changed how they are notified',
    'notifications.unsubscribed': 'unsubscribed from e-mails: {label}',
    'notifications.defaults-changed':
      'changed how clients are notified: {count, plural, one {# setting} other {# settings}}',
  },

  responseSchemas: {
    'notifications/list': z.object({
      items: z.array(Notification),
      next: z.string().nullable(),
      unread: z.number(),
      total: z.number(),
    }),
    'notifications/preferences': Preferences,
  },
  requestSchemas: { 'notifications/list': Filter, 'notifications/preferences': PreferencesForm },
  views: { settings: 'preferences' },

  fixtures: owner => fixtures(owner),
  store: notificationsOf,
  waiting: (context, { plugins }) => context.crm.notifications.unread(seenBy(context, plugins)),
  capabilities: {
    notifications: host => ({
      tell: (...of) => tell(host, ...of),
      settings: showPreferences(host, coreHostOf(host).mailContext !== undefined),
    }),
  },

  slots: {
    account: { view: 'notifications/card' },
    side: { view: 'notifications/bell' },
    subject: { view: 'notifications/on-page', data: readOnPage },
  },

  routes(router, host) {
    const show = showPreferences(host, coreHostOf(host).mailContext !== undefined)
    router.get('/', may('notifications.see'), showNotifications(host.plugins))
    router.post('/read', may('notifications.see'), saveRead(host.plugins))
    router.get('/settings', may('notifications.see'), show)
    router.post('/settings', may('notifications.see'), savePreferences(host), showAgainOnError(show))
    router.get('/:id', may('notifications.see'), openNotification)
  },

  public: { path: 'unsubscribe', routes: unsubscribeRoutes },

  settings: {
    title: 'Notifications',
    icon: 'bell',
    order: 55,
    group: 'messages',
    routes(router, host) {
      const mailed = coreHostOf(host).mailContext !== undefined
      router.get('/', admins, showDefaults(host, mailed))
      router.post('/', admins, saveDefaults(host, mailed), showAgainOnError(showDefaults(host, mailed)))
    },
  },

  jobs: { 'notifications.send': sendMessage, 'notifications.summaries': sendSummaries },
})
