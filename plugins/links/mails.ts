import type { Mail } from '../../src/mail/kinds.ts'

/** Mails: the link that staff send, and the code that identifies its visitor. */
export const mails: Record<string, Mail> = {
  'links.sent': {
    label: 'Link to one document',
    facts: { staff: 'Marta Lindqvist', number: 'P-2026-031', until: '21 Dec 2026' },
    words: (t, it) => ({
      subject: t('{number}, from {workspace}', it),
      paragraphs: [t('{staff} at {workspace} shared {number} with you. You can read it without an account.', it)],
      action: t('Read {number}', it),
      why: t('You get this because {staff} shared a document with you.', it),
      after: [
        t(
          'The link works until {until}. Anyone with it can read the document, so only share it with people who need it. To sign, you get a code at this address.',
          it,
        ),
      ],
    }),
  },
  'links.code': {
    label: 'Code for a link to one document',
    urgent: true,
    facts: { code: '123456', minutes: 10 },
    words: (t, it) => ({
      subject: t('{code} is your code for {workspace}', it),
      why: t('You get this because this address was entered to open a link.'),
      paragraphs: [t('Use this code to confirm that you opened a link from {workspace}:', it)],
      after: [
        t(
          'It works once, for {minutes} minutes, in the browser where you asked for it. Anyone with it can sign in your name: nobody at {workspace} will ever ask you for it. If you didn’t open a link, you can ignore this e-mail.',
          it,
        ),
      ],
    }),
  },
}
