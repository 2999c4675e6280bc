import type { Mail } from '../../src/mail/kinds.ts'

export const mails: Record<string, Mail> = {
  'reminders.expiry': {
    label: 'Before an offer expires',
    facts: {
      ...{ number: 'P-2026-031', what: 'Relaunch', total: '€16,736.72', client: 'Acme', day: 'Tuesday 24 November' },
      account: 'https://crm.example/portal/acme/account',
    },
    words: (t, it) => ({
      subject: t('{number}: please answer by {day}', it),
      paragraphs: [
        t(
          '{number}, “{what}”, from {workspace} for {client} is waiting for your answer. The price of {total} holds until the end of {day}.',
          it,
        ),
      ],
      action: t('Review'),
      details: [
        [t('Document'), String(it.number)],
        [t('Title'), String(it.what)],
        [t('Total'), String(it.total)],
        [t('Price holds until'), String(it.day)],
      ],
      after: [t('Nothing is accepted until you read and sign it.')],
      why: t('You get this because you can accept or decline it. To stop reminders, go to your account: {account}', it),
    }),
  },
}
