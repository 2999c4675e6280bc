import type { z } from 'zod'
import type { RequestContext } from '../../src/context.ts'
import { daysBetween } from '../../src/document.ts'
import { squares } from '../../src/qr.ts'
import { giroCode } from './girocode.ts'
import type { Account, Invoice, Summary } from './port.ts'

/** How an invoice stands, for its badge: tone, icon, words; and what happened to it. */
export const words = ({ t, money, customer: { today } }: RequestContext) => ({
  state({ status, word, dueOn }: Summary): [string, string, string] {
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

  partly: ({ status, balance, total }: Summary) =>
    (status === 'open' || status === 'overdue') && balance.amount !== total.amount,

  term: (days: number) =>
    t('{days, plural, =0 {Payable on receipt.} one {Payable within # day.} other {Payable within # days.}}', { days }),

  /** What a bank asks for: label, text, and what is copied where that is worth it. */
  transfer: ({ balance }: Summary, it: z.infer<typeof Account>): [label: string, value: string, plain?: string][] =>
    [
      [t('To'), it.holder],
      [t('Bank'), it.bank],
      [t('IBAN'), it.iban, it.iban?.replaceAll(' ', '')],
      [t('Account number'), it.number, it.number?.replaceAll(' ', '')],
      [t('Bank code'), it.code],
      [t('BIC'), it.bic],
      [t('Amount'), money(balance), balance.amount],
      [t('Reference'), it.reference, it.reference],
    ].filter((row): row is [string, string, string?] => Boolean(row[1])),

  giroCode,
  squares,
  scan: ({ balance }: Summary, { holder, reference }: z.infer<typeof Account>) =>
    t('QR code for your banking app: {amount} to {holder}, reference {reference}', {
      ...{ amount: money(balance), holder, reference },
    }),

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
