import type { Mail } from '../../src/mail/kinds.ts'

export const mails: Record<string, Mail> = {
  'documents.shared': {
    label: 'Documents were shared',
    facts: { staff: 'Marta Lindqvist', name: 'Hosting agreement 2026.pdf', count: 1 },
    words: (t, it) => ({
      subject: t(
        '{count, plural, one {{staff} shared {name} with you} other {{staff} shared # documents with you}}',
        it,
      ),
      paragraphs: [
        t(
          '{count, plural, one {{staff} of {workspace} shared a document with you.} other {{staff} of {workspace} shared # documents with you.}}',
          it,
        ),
      ],
      details: it.count === 1 ? [[t('Document'), String(it.name)]] : [],
      action: it.count === 1 ? t('View document') : t('View documents'),
      after: [],
      why: t('You get this because you can see your company’s documents.'),
    }),
  },
}
