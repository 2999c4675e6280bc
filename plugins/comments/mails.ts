import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

export const mails: Record<string, Mail> = {
  'comments.replied': {
    label: 'An answer to a question',
    facts: {
      ...{ staff: 'Marta Lindqvist', number: 'P-2026-031', line: 'Photography' },
      ...{ question: '2 × 180 km?', text: '1 × 180 km.' },
      ...{ attached: 1, files: 'Route.pdf' },
    },
    // `asker` and `replies` are no placeholders: the former is there where the question was asked by somebody else than
    // the reader, the latter where a reply to this mail arrives.
    words: (t, it) => ({
      subject: it.asker
        ? t('{staff} answered {asker} on {number}', it)
        : t('{staff} answered your question on {number}', it),
      paragraphs: [t('{staff} of {workspace} writes:', it)],
      quotes: [
        { by: '', text: String(it.text) },
        { by: it.asker ? t('{asker} asked:', it) : t('You asked:'), text: String(it.question) },
      ],
      details: [
        [t('Document'), String(it.number)],
        ...(it.line ? ([[t('About'), String(it.line)]] as [string, string][]) : []),
        ...attached(t, it),
      ],
      action: t('Reply'),
      after: it.replies ? [t('You can also reply to this e-mail.')] : [],
      why: t('You get this because you asked about it.'),
    }),
  },
}

/** What was attached is named, and is in the portal. */
const attached = (t: Speech['t'], { attached: count, files }: Facts): [string, string][] =>
  files
    ? [
        [
          t('{count, plural, one {# file attached} other {# files attached}}', { count: Number(count) || 1 }),
          String(files),
        ],
      ]
    : []
