import { daysBetween } from '../../src/crm/document.ts'
import { type PayeeAccount, transferDetails, transferScan } from '../../src/crm/payee.ts'
import type { RequestContext } from '../../src/http/context.ts'
import { minus } from '../../src/pdf/print.ts'
import { giroCode } from '../../src/platform/girocode.ts'
import { qrSquares } from '../../src/platform/qr.ts'
import type { Invoice, Summary } from './port.ts'

/** A document below zero is a credit note. */
const isCredit = ({ total }: Summary) => Number(total.amount) < 0

const partly = ({ status, balance, total }: Summary) =>
  (status === 'open' || status === 'overdue') && balance.amount !== total.amount

/** How an invoice stands, for its badge: tone, icon, words; and what happened to it. */
export const words = ({ t, money, day, customer: { today } }: RequestContext) => ({
  state({ status, word, dueOn, balance }: Summary): [string, string, string] {
    if (Number(balance.amount) < 0)
      return ['green', 'check', t('Credit of {amount}', { amount: money(minus(balance)) })]
    if (status === 'paid') return ['green', 'check', t('Paid')]
    if (status === 'cancelled') return ['secondary', 'ban', t('Cancelled')]
    if (status === 'other') return ['secondary', 'point', word || t('Unknown')]
    if (status === 'open') return ['blue', 'clock', t('To pay')]
    return [
      'red',
      'alert-triangle',
      t('{days, plural, one {Overdue # day} other {Overdue # days}}', { days: daysBetween(dueOn, today) }),
    ]
  },

  isCredit,
  partly,

  /** Below its title in a list. */
  notes: (it: Summary) =>
    [
      it.title !== it.number && it.number,
      isCredit(it) && t('Credit note'),
      partly(it) && t('{balance} of {total} still open', { balance: money(it.balance), total: money(it.total) }),
    ].filter(note => note !== false),

  term: (days: number) =>
    t('{days, plural, =0 {Payable on receipt.} one {Payable within # day.} other {Payable within # days.}}', { days }),

  transfer: ({ balance }: Summary, it: PayeeAccount) => transferDetails({ t, money }, balance, it),

  minus,
  giroCode,
  squares: qrSquares,
  scan: ({ balance }: Summary, it: PayeeAccount) => transferScan({ t, money }, balance, it),

  /** A payment below zero was paid back. */
  paidOn: ({ on, amount: { amount } }: Invoice['payments'][number]) =>
    amount.startsWith('-')
      ? t('Paid back on {day}', { day: day(on) })
      : t('Paid on {day}, thank you', { day: day(on) }),

  /** Newest first. */
  history: (it: Invoice) => historyOf(it, { t, money }),
})

/** What has happened to it. A payment below zero was paid back. */
const historyOf = (it: Invoice, { t, money }: Pick<RequestContext, 't' | 'money'>) =>
  [
    { on: it.sentOn, words: t('Invoice sent'), who: null },
    ...(it.remindedOn ? [{ on: it.remindedOn, words: t('Reminder sent'), who: null }] : []),
    ...it.payments.map(({ id, on, amount, payer }) => ({
      on,
      payment: id,
      words: amount.amount.startsWith('-')
        ? t('{amount} paid back', { amount: money(minus(amount)) })
        : t('{amount} received', { amount: money(amount) }),
      who: payer,
    })),
    ...it.creditNotes.map(({ on, amount, number }) => ({
      on,
      words: t('Credit note {number}: {amount}', { number, amount: money(amount) }),
      who: null,
    })),
  ].sort((a, b) => (a.on < b.on ? 1 : -1))
