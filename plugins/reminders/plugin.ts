import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, anyMember } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { offeredKinds, saveSwitch, showSwitch } from './account.ts'
import { mails } from './mails.ts'
import { sendReminders } from './reminding.ts'
import { saveReminders, showReminders } from './settings.ts'

/**
 * Mails before an offer expires, and before and after a payment, a task or a request is due. A subject that takes part lists
 * what expires (`expiring`), is to be paid (`payable`) or done (`due`), and has the toggle `<name>.reminders` and the event `<name>.reminded`.
 */
export default section({
  name: 'reminders',
  title: 'Reminders',
  icon: 'bell',
  order: 920,
  mails,
  notificationsFor: offeredKinds,
  notifications: {
    'reminders.expiry': {
      label: 'Offers that end soon',
      group: 'reminders',
      sentence: 'The price of {number} holds until {day}',
      about: '{title}',
      example: { number: 'P-2026-031', title: 'Shop relaunch', day: { day: '2026-12-15' } },
      icon: 'clock',
      mail: 'reminders.expiry',
    },
    'reminders.due': {
      label: 'Payments that are due or overdue',
      group: 'reminders',
      sentence:
        '{documents, plural, one {The payment for {number} is due on {day}} other {# payments are due, the first on {day}}}',
      example: { documents: 1, number: '2026-0118', day: { day: '2026-12-15' } },
      icon: 'clock',
      mail: 'reminders.due',
    },
    'reminders.overdue': {
      label: 'Payments that are due or overdue',
      group: 'reminders',
      sentence:
        '{documents, plural, one {The payment for {number} was due on {day}} other {# payments are due, the first since {day}}}',
      example: { documents: 1, number: '2026-0107', day: { day: '2026-11-15' } },
      icon: 'clock',
      mail: 'reminders.overdue',
      chosenWith: 'reminders.due',
    },
    'reminders.work': {
      label: 'Tasks and requests that are due',
      group: 'reminders',
      sentence: '{documents, plural, one {“{title}” is due on {day}} other {# things are due, the first on {day}}}',
      example: { documents: 1, title: 'Check the cookie texts', day: { day: '2026-12-15' } },
      icon: 'clock',
      mail: 'reminders.work',
    },
    'reminders.work-overdue': {
      label: 'Tasks and requests that are due',
      group: 'reminders',
      sentence: '{documents, plural, one {“{title}” was due on {day}} other {# things are due, the first since {day}}}',
      example: { documents: 1, title: 'Check the cookie texts', day: { day: '2026-11-15' } },
      icon: 'clock',
      mail: 'reminders.work-overdue',
      chosenWith: 'reminders.work',
    },
  },
  activity: {
    'reminders.changed':
      'changed when clients are reminded, in days before the end: {before, select, none {never} other {{before}}} before, {after, select, none {never} other {{after}}} now',
    'reminders.payments-changed':
      'changed when clients are reminded of payments, in days from the due date: {before, select, none {never} other {{before}}} before, {after, select, none {never} other {{after}}} now',
    'reminders.work-changed':
      'changed when clients are reminded of tasks and requests, in days from the due date: {before, select, none {never} other {{before}}} before, {after, select, none {never} other {{after}}} now',
  },

  jobs: {
    'reminders.round': {
      every: 3_600,
      async work({ workspace, data }, host) {
        const core = coreHostOf(host)
        const { mailContext } = core
        if (!mailContext) return undefined
        const last = await sendReminders(
          { workspace: workspace.id, slug: workspace.slug, after: data.after },
          { ...core, mailContext },
        )
        return last === undefined ? undefined : { after: last }
      },
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      reminders: await query(tx, {
        text: `select kind, section, document_id, version, due_on, at from portal.client_reminders
               where workspace_id = $1 and person_id = $2 order by at`,
        values: [workspace, person],
      }),
      'reminders-switch': await query(tx, {
        text: 'select u.reminders as "on" from portal.client_users u where u.workspace_id = $1 and u.id = $2',
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: 'delete from portal.client_reminders where workspace_id = $1 and person_id = $2',
        values: [workspace, person],
      })
    },
    async prunes(owner) {
      const gone = await query(owner, {
        text: `delete from portal.client_reminders where at < portal.now() - interval '90 days' returning 1`,
      })
      return `${gone.length} notes of reminders sent 90 days ago`
    },
  },

  slots: { account: { view: 'reminders/own', data: showSwitch } },
  account: {
    routes(router, host) {
      router.post('/', anyMember, saveSwitch(host))
    },
  },

  settings: {
    title: 'Reminders',
    icon: 'bell',
    order: 60,
    group: 'messages',
    routes(router, host) {
      const show = showReminders({ ...host, mails: coreHostOf(host).mailContext !== undefined })
      router.get('/', admins, show)
      router.post('/', admins, saveReminders(host), showAgainOnError(show))
    },
  },
})
