import type { Mail } from '../../src/mail/kinds.ts'

const facts = { amount: '€5,050.00', numbers: '2026-0107, 2026-0112', count: 2, reference: '2026-0107 2026-0112' }

/** What the person who pays is mailed. */
export const mails: Record<`pay.${string}`, Mail> = {
  'pay.received': {
    label: 'A payment arrived',
    facts,
    words: (t, it) => ({
      subject: t('Your payment of {amount} has arrived', it),
      paragraphs: [t('Thank you. {workspace} has received your payment.', it)],
      details: [
        [t('Amount'), String(it.amount)],
        [t('Paid for'), String(it.numbers)],
      ],
      action: t('View the receipt'),
      after: [],
      why: t('You get this because you paid in the portal.'),
    }),
  },
  'pay.receipt': {
    label: 'A receipt for a visitor by a public link',
    facts: { amount: '€5,050.00', numbers: '2026-0107', day: '25 Nov 2026' },
    words: (t, it) => ({
      subject: t('Receipt for your payment of {amount} to {workspace}', it),
      paragraphs: [t('Thank you. {workspace} has received your payment.', it)],
      details: [
        [t('Amount'), String(it.amount)],
        [t('Paid for'), String(it.numbers)],
        [t('Received on'), String(it.day)],
      ],
      after: [t('The receipt as a PDF is on the page where you paid.')],
      why: t('You get this because you asked for a receipt when you paid.'),
    }),
  },
  'pay.underway': {
    label: 'A payment is on its way',
    facts,
    words: (t, it) => ({
      subject: t('Your payment of {amount} is on its way', it),
      paragraphs: [t('Your bank is working on it, which takes a few working days. We e-mail you when it has arrived.')],
      details: [
        [t('Amount'), String(it.amount)],
        [t('Paid for'), String(it.numbers)],
      ],
      action: t('View the payment'),
      after: [],
      why: t('You get this because you paid in the portal.'),
    }),
  },
  'pay.failed': {
    label: 'A payment failed',
    facts,
    words: (t, it) => ({
      subject: t('Your payment of {amount} did not go through', it),
      paragraphs: [t('Your bank did not complete it, and {workspace} has received nothing. You can pay again.', it)],
      details: [
        [t('Amount'), String(it.amount)],
        [t('Paid for'), String(it.numbers)],
      ],
      action: t('Pay again'),
      after: [],
      why: t('You get this because you paid in the portal.'),
    }),
  },
  'pay.refunded': {
    label: 'A payment was refunded',
    facts: { ...facts, refund: '€181.50' },
    words: (t, it) => ({
      subject: t('{workspace} refunds you {refund}', it),
      paragraphs: [t('It goes back the way you paid, and takes a few working days to arrive.')],
      details: [
        [t('Refunded'), String(it.refund)],
        [t('Of your payment'), String(it.amount)],
        [t('Paid for'), String(it.numbers)],
      ],
      action: t('View the payment'),
      after: [],
      why: t('You get this because you paid in the portal.'),
    }),
  },
}
