import type { RequestContext } from '../../src/http/context.ts'
import type { Payment } from './port.ts'

/** The words for a payment: its method and purpose. */
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
