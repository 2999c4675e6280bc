import type { Router } from 'express'
import { z } from 'zod'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { Money } from '../../src/platform/money.ts'
import { admins, anyMember, may, stepUp } from '../../src/plugin/permissions.ts'
import { type Host, section } from '../../src/plugin/plugin.ts'
import { bookAgain, exportLedger, markBooked, markRefundBooked, refundPayment, showLedger, showOne } from './desk.ts'
import { book, bookWaiting, receiveWebhook, reconcile } from './following.ts'
import { mails } from './mails.ts'
import { cancelPayment, ifOwn, savePayment, sendReceipt, showChoice, showPayment } from './pages.ts'
import { paying } from './paying.ts'
import { Payment, paymentsOf, pendingOfSubject, recentPayments, refundToBook } from './payments.ts'
import { options } from './settings-of.ts'
import { endAccess, saveAccess, saveRules, showSetup } from './setup.ts'
import { badgeOf } from './words.ts'

const Due = z.object({
  key: z.string(),
  section: z.string(),
  id: z.string(),
  number: z.string(),
  title: z.string(),
  balance: Money,
  /** What is left when all that is on its way has arrived. */
  left: Money,
  dueOn: z.iso.date().nullable(),
  overdue: z.boolean(),
  /** Of an accepted offer. */
  downPayment: z.boolean(),
})

/** What is known here of a document, beside its own page. */
const Pending = z
  .object({
    unbooked: z.string(),
    processing: z.string(),
    payer: z.string().nullable(),
    since: z.coerce.date().nullable(),
  })
  .nullish()

const paid = { amount: { amount: '1200.00', currency: 'EUR' }, numbers: '2026-0107, 2026-0118' }

/**
 * Pays documents of other plugins: online by a provider, or by a transfer that is announced. A subject that takes part
 * says what is to be paid of it (`payable`). What arrives is booked by the CRM's port `payments`, where that can.
 */
export default section({
  name: 'pay',
  title: 'Pay',
  icon: 'cash',
  order: 905,
  unlisted: true,
  mails,
  notifications: {
    'pay.received': {
      label: 'Your payments',
      group: 'money',
      sentence: 'Your payment of {amount} has arrived',
      about: '{numbers}',
      example: paid,
      mail: 'pay.received',
    },
    'pay.underway': {
      label: 'Your payments',
      group: 'money',
      sentence: 'Your payment of {amount} is on its way',
      about: '{numbers}',
      example: paid,
      mail: 'pay.underway',
      chosenWith: 'pay.received',
    },
    'pay.failed': {
      label: 'Your payments',
      group: 'money',
      sentence: 'Your payment of {amount} did not go through',
      about: '{numbers}',
      example: paid,
      mail: 'pay.failed',
      chosenWith: 'pay.received',
    },
    'pay.refunded': {
      label: 'Your payments',
      group: 'money',
      sentence: 'You get {amount} back',
      about: '{numbers}',
      example: paid,
      mail: 'pay.refunded',
      chosenWith: 'pay.received',
    },
  },
  options,

  permissions: {
    'pay.see': { label: 'See payments under way', roles: ['admin', 'approver', 'billing'] },
    'pay.pay': { label: 'Pay', roles: ['admin', 'approver', 'billing'] },
  },

  toggles: {
    pay: {
      label: 'Online payments',
      about:
        'Clients pay invoices and down payments here: online where you connect a provider, or by a transfer that they announce.',
      default: true,
    },
  },

  with: {
    links: {
      toggles: {
        'pay.links': {
          label: 'Payment from public links',
          about: 'Anyone with a public link to an invoice or an accepted offer can pay without an account.',
          default: true,
        },
      },
    },
  },

  stepUps: { 'pay.pay': { label: 'Pay', level: 'none' } },

  responseSchemas: {
    'pay/list': z.object({ items: z.array(Due) }),
    'pay/show': z.object({ payment: Payment, standing: z.string() }),
    'pay/leaving': z.object({ id: z.string(), address: z.string() }),
  },
  requestSchemas: {
    'pay/leaving': z.object({ document: z.array(z.string()), method: z.string().optional() }),
  },

  activity: {
    'pay.started': 'began to pay {total} for {number}',
    'pay.announced': 'announced a transfer of {total} for {number}',
    'pay.cancelled': 'cancelled the payment of {number}',
    'pay.downloaded': { kind: 'download', sentence: 'downloaded the receipt of {number}' },
    'pay.paid': { kind: 'change', sentence: 'paid {total} for {number}', weekly: 'Paid online' },
    'pay.processing': 'paid {total} for {number} by debit, which the bank is working on',
    'pay.failed': 'could not pay {total} for {number}: the bank refused it',
    'pay.refunded': 'learned that {refund} of the payment for {number} went back to {payer}',
    'pay.dispute-open': 'learned that {payer}’s bank disputes {total} for {number}',
    'pay.dispute-won': 'learned that the dispute about {total} for {number} was won',
    'pay.dispute-lost': 'learned that the dispute about {total} for {number} was lost',
    'pay.booked': 'entered the payment of {total} for {number} in the CRM',
    'pay.booked-again': 'had the payment of {total} for {number} entered in the CRM again',
    'pay.marked-booked': 'marked the payment of {total} for {number} as entered in the CRM',
    'pay.refund-booked': 'marked the refund of {refund} for {number} as entered in the CRM',
    'pay.refund-asked': 'refunded {refund} of the payment for {number}',
    'pay.ledger-downloaded': {
      kind: 'download',
      sentence: 'downloaded the list of payments',
    },
  },

  audit: [
    { question: 'B5', adds: 'payment online and by announced transfer, with receipts', of: ['invoices'] },
    { question: 'D5', adds: 'payment by Stripe Checkout, with verified webhooks', of: ['invoices'] },
  ],

  store: paymentsOf,

  attached: { select: pendingOfSubject, shape: Pending },

  capabilities: { paying },

  slots: {
    payable: { view: 'pay/button' },
    'payable-bar': { view: 'pay/bar' },
    payments: {
      view: 'pay/recent',
      async data({ portal }, { database }) {
        const scope = { workspace: portal.workspace.id, client: portal.customer.client.id }
        const recent = portal.may('pay.see') && portal.on('pay') ? await recentPayments(database, scope) : []
        return {
          recent: recent.filter(it => it.booking !== 'booked'),
          badge: (it: Payment) => badgeOf(it, portal),
        }
      },
    },
  },

  routes: addRoutes,

  kept(router, host) {
    router.get('/:id', anyMember, ifOwn(host), showPayment(host))
    router.get('/:id/pdf', anyMember, ifOwn(host), sendReceipt(host))
  },

  linked: {
    of: subject => subject.payable !== undefined,
    toggle: 'pay.links',
    may: ['pay.see', 'pay.pay'],
    routes: addRoutes,
  },

  webhook: receiveWebhook,

  jobs: { 'pay.book': book, 'pay.book-waiting': bookWaiting, 'pay.reconcile': reconcile },

  settings: {
    path: 'payments',
    title: 'Payments',
    icon: 'cash',
    order: 70,
    group: 'visible',
    waiting: `(select count(*)::int from (
      select from portal.client_payments p
      where p.workspace_id = scope.workspace
        and (p.booking = 'manual' or p.dispute = 'open' or ${refundToBook}) limit 100) it)`,
    waits: [
      '{count, plural, one {# payment needs entering in the CRM or a look} other {# payments need entering in the CRM or a look}}',
      'View',
    ],
    routes(router, host) {
      const setup = showSetup(host)
      const one = showOne(host)
      router.get('/', admins, showLedger(host))
      router.get('/payments.csv', admins, exportLedger(host))
      router.get('/setup', admins, setup)
      router.post('/setup', admins, saveRules(host), showAgainOnError(setup))
      router.post('/setup/access', admins, saveAccess(host), showAgainOnError(setup))
      router.post('/setup/end', admins, endAccess(host), showAgainOnError(setup))
      router.get('/:id', admins, one)
      router.post('/:id/booked', admins, markBooked(host), showAgainOnError(one))
      router.post('/:id/refund-booked', admins, markRefundBooked(host), showAgainOnError(one))
      router.post('/:id/booking', admins, bookAgain(host), showAgainOnError(one))
      router.post('/:id/refund', admins, refundPayment(host), showAgainOnError(one))
    },
  },

  privacy: {
    async erases(tx, { workspace, person }) {
      await query(tx, {
        text: `update portal.client_payments set payer = '' where workspace_id = $1 and person_id = $2`,
        values: [workspace, person],
      })
      await query(tx, {
        text: 'delete from portal.client_payment_customers where workspace_id = $1 and person_id = $2',
        values: [workspace, person],
      })
    },
  },
})

/** What people with an account can do, and visitors by a public link, who reach one document and what they paid for it. */
function addRoutes(router: Router, host: Host) {
  const show = showChoice(host)
  router.get('/', may('pay.see'), show)
  router.post('/', may('pay.pay'), stepUp('pay.pay'), savePayment(host), showAgainOnError(show))
  router.get('/:id', may('pay.see'), showPayment(host))
  router.get('/:id/pdf', may('pay.see'), sendReceipt(host))
  router.post('/:id/cancellation', may('pay.pay'), cancelPayment(host))
}
