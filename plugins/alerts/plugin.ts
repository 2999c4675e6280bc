import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { mailAlerts, noteAlert } from './mailing.ts'
import { mails } from './mails.ts'
import { rulesOf } from './rules.ts'
import { saveAlertRules, showAlerts } from './settings.ts'

/**
 * Tells a workspace's admins what may be an attack: by e-mail, once an hour for each kind, and in the activity log, which
 * webhooks send. The workspace says from how many events on.
 */
export default section({
  name: 'alerts',
  title: 'Alerts',
  icon: 'alert-triangle',
  order: 965,
  mails,

  activity: {
    'alerts.failures': 'noticed {times} failed sign-ins from {address} in {minutes} minutes',
    'alerts.foreign': 'noticed that {name} asked for {times} pages they can’t see in {minutes} minutes',
    'alerts.exports': 'noticed that {name} downloaded {times} documents and lists in {minutes} minutes',
    'alerts.changed': 'changed the alerts: {before} → {after}',
  },

  alerts: {
    thresholds: async (database, workspace) => (await rulesOf(database, workspace)).thresholds,
    raised: noteAlert,
  },

  jobs: {
    'alerts.mail': {
      async due(database) {
        const rows = await query<{ id: string }>(database, {
          name: 'portal.workspaces-with-alerts-due',
          text: 'select portal.workspaces_with_alerts_due() as id',
        })
        return rows.map(it => it.id)
      },
      async work({ workspace }, host) {
        await mailAlerts(workspace, coreHostOf(host))
        return undefined
      },
    },
  },

  settings: {
    title: 'Alerts',
    icon: 'alert-triangle',
    order: 76,
    group: 'system',
    routes(router, host) {
      const core = coreHostOf(host)
      const show = showAlerts(core)
      router.get('/', admins, show)
      router.post('/', admins, saveAlertRules(core), showAgainOnError(show))
    },
  },
})
