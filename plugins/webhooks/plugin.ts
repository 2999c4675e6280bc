import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query, within } from '../../src/platform/database.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { forgetOld } from './deliveries.ts'
import { sendDue } from './sending.ts'
import {
  removeOne,
  revealSecret,
  rotateSecret,
  saveChange,
  saveNew,
  saveSwitch,
  sendAgain,
  sendSchemas,
  sendTest,
  showDelivery,
  showEndpoint,
  showEndpoints,
  showForm,
} from './settings.ts'

/**
 * Tells other software of a workspace what happens in the portal, by Standard Webhooks. Each entry of the activity log is
 * queued for the endpoints that chose its event, by a trigger in its transaction, and sent by a job.
 */
export default section({
  name: 'webhooks',
  title: 'Webhooks',
  icon: 'bolt',
  order: 960,

  activity: {
    'webhooks.added': 'added the webhook {title} to {host}',
    'webhooks.changed': 'changed the webhook {title} to {host}',
    'webhooks.removed': 'removed the webhook {title} to {host}',
    'webhooks.switched-on': 'switched the webhook {title} on',
    'webhooks.switched-off': 'switched the webhook {title} off',
    'webhooks.stopped':
      'Portico switched the webhook {title} off: {why, select, gone {its server said that it is gone} other {it had failed for five days}}',
    'webhooks.revealed': { kind: 'view', sentence: 'looked at the secret of the webhook {title}' },
    'webhooks.rotated': 'made a new secret for the webhook {title}',
    'webhooks.tested': 'sent a test to the webhook {title}',
    'webhooks.resent': 'sent an event to the webhook {title} again',
  },

  jobs: {
    'webhooks.send': {
      async due(database) {
        const rows = await query<{ id: string }>(database, {
          name: 'portal.workspaces-with-webhooks-due',
          text: 'select portal.workspaces_with_webhooks_due() as id',
        })
        return rows.map(it => it.id)
      },
      work: ({ workspace }, host) => sendDue(workspace, coreHostOf(host)),
    },
    'webhooks.tidy': {
      every: 86_400,
      whileOff: true,
      async work({ workspace }, { database }) {
        await within(database, { workspace: workspace.id }, tx => forgetOld(tx, workspace.id))
        return undefined
      },
    },
  },

  settings: {
    title: 'Webhooks',
    icon: 'bolt',
    order: 78,
    group: 'system',
    waiting: `(select count(*)::int from portal.client_webhooks w
      where w.workspace_id = scope.workspace and w.state in ('failed', 'gone'))`,
    waits: ['{count, plural, one {# webhook was switched off} other {# webhooks were switched off}}', 'View'],
    routes(router, host) {
      const form = showForm(host)
      const show = showEndpoint(host)
      const delivery = showDelivery(host)
      router.get('/', admins, showEndpoints(host))
      router.post('/', admins, saveNew(host), showAgainOnError(form))
      router.get('/new', admins, form)
      router.get('/schema.json', admins, sendSchemas(host))
      router.get('/:id', admins, show)
      router.post('/:id', admins, saveChange(host), showAgainOnError(form))
      router.get('/:id/edit', admins, form)
      router.post('/:id/secret', admins, revealSecret(host))
      router.post('/:id/rotation', admins, rotateSecret(host))
      router.post('/:id/switch', admins, saveSwitch(host), showAgainOnError(show))
      router.post('/:id/removal', admins, removeOne(host))
      router.post('/:id/tests', admins, sendTest(host), showAgainOnError(show))
      router.get('/:id/deliveries/:delivery', admins, delivery)
      router.post('/:id/deliveries/:delivery/again', admins, sendAgain(host), showAgainOnError(delivery))
    },
  },
})
