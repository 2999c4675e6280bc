import { anybody } from '../../src/http/rules.ts'
import { may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { options } from './keys.ts'
import {
  cardOf,
  Hiding,
  NewDevice,
  Renewal,
  removeDevice,
  saveDevice,
  saveHiding,
  saveRenewal,
  showWorker,
  tryDevice,
} from './pages.ts'
import { privacy } from './privacy.ts'
import { channel } from './send.ts'
import { devicesOf } from './store.ts'

/** Notifications on people's phones and computers, by the push services of their browsers (RFC 8030, 8291, 8292). */
export default section({
  name: 'push',
  title: 'Push notifications',
  icon: 'device-mobile',
  order: 951,
  unlisted: true,
  options,
  privacy,
  channel,
  store: devicesOf,
  sentences: [
    'Sent. It should be there in a moment.',
    'This device can’t be reached any more. Turn it on again there.',
  ],

  permissions: {
    'push.see': { label: 'Get push notifications', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
  },

  toggles: {
    push: {
      label: 'Push notifications',
      about: 'Clients can get notifications on their phones and computers, by the push service of their browser.',
      default: true,
    },
  },

  activity: {
    'push.added': 'turned on push notifications on {label}',
    'push.removed': 'turned off push notifications on {label}',
  },

  requestSchemas: { 'push/devices': NewDevice, 'push/renewal': Renewal, 'push/hiding': Hiding },

  slots: {
    side: { view: 'push/script' },
    'notification-settings': { view: 'push/card', data: cardOf },
    'notification-settings-end': { view: 'push/form' },
  },

  routes(router, host) {
    router.post('/devices', may('push.see'), saveDevice(host))
    router.post('/devices/:id/test', may('push.see'), tryDevice(host))
    router.post('/devices/:id/removal', may('push.see'), removeDevice(host))
    router.post('/renewal', may('push.see'), saveRenewal)
    router.post('/hiding', may('push.see'), saveHiding)
  },

  public: {
    path: 'push-worker',
    routes(router) {
      router.get('/worker.js', anybody, showWorker)
    },
  },
})
