import { daysBetween } from '../../src/document.ts'
import type { Visit } from '../../src/visit.ts'
import type { Invoice, Summary } from './port.ts'

/** How an invoice stands, for its badge: tone, icon, words; and what happened to it. */
export const words = ({ t, money, customer: { today } }: Visit) => ({
  state({ status, dueOn }: Summary): [string, string, string] {
    if (status === 'paid') return ['green', 'check', t('Paid')]
    if (status === 'cancelled') return ['secondary', 'ban', t('Cancelled')]
    if (status === 'open') return ['blue', 'clock', t('To pay')]
    return [
      'red',
      'alert-triangle',
      t('{days, plural, one {Overdue # day} other {Overdue # days}}', { days: daysBetween(dueOn, today) }),
    ]
  },

  partly: ({ status, balance, total }: Summary) =>
    (status === 'open' || status === 'overdue') && balance.amount !== total.amount,

  /** Newest first. */
  history: (it: Invoice) =>
    [
      { on: it.sentOn, words: t('Invoice sent'), who: null },
      ...(it.remindedOn ? [{ on: it.remindedOn, words: t('Reminder sent'), who: null }] : []),
      ...it.payments.map(({ id, on, amount, payer }) => ({
        on,
        payment: id,
        words: t('{amount} received', { amount: money(amount) }),
        who: payer,
      })),
      ...it.creditNotes.map(({ on, amount, number }) => ({
        on,
        words: t('Credit note {number}: {amount}', { number, amount: money(amount) }),
        who: null,
      })),
    ].sort((a, b) => (a.on < b.on ? 1 : -1)),
})
