import type { RequestContext } from '../../src/context.ts'
import type { Payment } from './port.ts'

/** How a payment is told: its method, and what it was for. */
export const words = ({ t }: RequestContext) => ({
  methods: {
    'bank transfer': t('Bank transfer'),
    card: t('Card'),
    'direct debit': t('Direct debit'),
    ideal: t('iDEAL'),
    cash: t('Cash'),
    cheque: t('Cheque'),
    other: t('Another way'),
  } satisfies Record<Payment['method'], string>,

  paidFor: ({ invoices: [first, ...others] }: Payment) =>
    first
      ? others.length
        ? t('{title} and {count, plural, one {# more} other {# more}}', { title: first.title, count: others.length })
        : first.title
      : t('Paid on account'),
})
