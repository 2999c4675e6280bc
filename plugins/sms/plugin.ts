import type { RequestHandler } from 'express'
import { NotFound } from '../../src/http/errors.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may, stepUp } from '../../src/plugin/permissions.ts'
import { type Host, section } from '../../src/plugin/plugin.ts'
import { accountCardOf, allowSignIn, mails, refuseSignIns } from './allow.ts'
import { Code, cardOf, NewNumber, removeNumber, saveCode, saveNumber } from './pages.ts'
import { options } from './provider.ts'
import { channel } from './send.ts'
import { saveSetup, showSetup, trySetup } from './setup.ts'
import { buttonOf, sendCode, signInRoutes } from './sign-in.ts'
import { numberOf } from './store.ts'

/** Notifications, and codes to sign in, as text messages by a provider of the workspace. Off until somebody switches it on. */
export default section({
  name: 'sms',
  title: 'Text messages',
  icon: 'message',
  order: 952,
  unlisted: true,
  options,
  channel,
  store: numberOf,
  mails,

  permissions: {
    'sms.see': { label: 'Get text messages', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
  },

  toggles: {
    sms: {
      label: 'Text messages',
      about: 'Clients can get notifications as text messages, by the provider that you set up.',
      default: false,
    },
  },

  activity: {
    'sms.confirmed': 'confirmed their mobile number for text messages',
    'sms.removed': 'removed their mobile number',
    'sms.allowed': 'allowed their mobile number for signing in',
    'sms.refused': 'no longer signs in with their mobile number',
  },

  stepUps: { 'sms.sign-in': { label: 'Sign in by text message', level: 'verification' } },

  requestSchemas: { 'sms/number': NewNumber, 'sms/code': Code },

  jobs: { 'sms.code': { work: sendCode } },

  slots: {
    'sign-in': { view: 'sms/button', data: buttonOf },
    'sign-in-code': { view: 'sms/instead', data: buttonOf },
    account: { view: 'sms/account', data: accountCardOf },
    'notification-settings': { view: 'sms/card', data: cardOf },
    'notification-settings-end': { view: 'sms/form' },
  },

  routes(router, host) {
    router.post('/number', may('sms.see'), saveNumber(host), showAgainOnError(again(host)))
    router.post('/code', may('sms.see'), saveCode(host), showAgainOnError(again(host)))
    router.post('/removal', may('sms.see'), removeNumber(host))
    router.post('/sign-in', may('sms.see'), stepUp('sms.sign-in'), allowSignIn(host))
    router.post('/sign-in/removal', may('sms.see'), refuseSignIns(host))
  },

  public: { path: 'text-code', routes: signInRoutes },

  settings: {
    title: 'Text messages',
    icon: 'message',
    order: 56,
    group: 'messages',
    routes(router, host) {
      router.get('/', admins, showSetup(host))
      router.post('/', admins, saveSetup(host), showAgainOnError(showSetup(host)))
      router.post('/test', admins, trySetup(host), showAgainOnError(showSetup(host)))
    },
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      'mobile-number': await query(tx, {
        text: `select number, confirmed_at, sign_in from portal.client_sms_numbers where workspace_id = $1 and person_id = $2`,
        values: [workspace, person],
      }),
    }),
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: 'delete from portal.client_sms_numbers where workspace_id = $1 and person_id = $2',
        values: [workspace, person],
      })
    },
  },
})

/** The page that the form is on belongs to another plugin. */
const again =
  (host: Host): RequestHandler =>
  (req, res, next) =>
    (host.capability('notifications')?.settings ?? notThere)(req, res, next)

const notThere: RequestHandler = () => {
  throw new NotFound()
}
