import { coreHostOf } from '../../src/auth/host.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import type { Mail } from '../../src/mail/kinds.ts'
import { admins } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { Current, current, currentDetails } from './details.ts'
import { saveConfirmation, saveDetails, saveWithdrawal, showDetails } from './settings.ts'

const facts = { staff: 'Marta Lindqvist', account: 'NL91 ABNA 0417 1643 00', time: '21 Nov 2026, 14:03' }

const mails: Record<`payee.${string}`, Mail> = {
  'payee.changed': {
    label: 'New bank details were entered',
    facts,
    words: (t, it) => ({
      subject: t('New bank details for {workspace}', it),
      paragraphs: [
        t(
          '{staff} entered bank details that your clients will be shown. They apply from {time}, or as soon as a second admin confirms them.',
          it,
        ),
        t('If you don’t know of this, withdraw them now and call {staff}.', it),
      ],
      details: [[t('Account'), String(it.account)]],
      action: t('View them'),
      after: [],
      why: t('You get this because you administer this workspace.'),
    }),
  },
}

/**
 * Where clients pay to, as an admin has set it. A change needs a second admin or a day, and is mailed to all admins, so
 * that nobody redirects payments with one stolen account. It takes the place of what the CRM names on its invoices.
 */
export default section({
  name: 'payee',
  title: 'Bank details',
  icon: 'building',
  order: 908,
  mails,

  activity: {
    'payee.entered': 'entered bank details that apply from {time}: {account}',
    'payee.confirmed': 'confirmed the bank details that {by} had entered: {account}',
    'payee.withdrawn': 'withdrew the bank details that {by} had entered: {account}',
  },

  attached: { select: current, shape: Current },

  capabilities: {
    bankDetails: ({ database }) => ({
      current: async workspace => (await currentDetails(database, workspace)) ?? undefined,
    }),
  },

  settings: {
    path: 'bank-details',
    title: 'Bank details',
    icon: 'building',
    order: 72,
    group: 'visible',
    waiting: `(select count(*)::int from (
      select from portal.client_bank_details d
      where d.workspace_id = scope.workspace and d.withdrawn_at is null and d.holds_from > portal.now() limit 100) it)`,
    waits: [
      '{count, plural, one {New bank details have to be confirmed} other {# new bank details have to be confirmed}}',
      'Compare',
    ],
    routes(router, lent) {
      const host = coreHostOf(lent)
      const show = showDetails(host)
      router.get('/', admins, show)
      router.post('/', admins, saveDetails(host), showAgainOnError(show))
      router.post('/:id/confirmation', admins, saveConfirmation(host), showAgainOnError(show))
      router.post('/:id/withdrawal', admins, saveWithdrawal(host), showAgainOnError(show))
    },
  },
})
