import { z } from 'zod'
import type { Quote } from '../../src/mail/content.ts'
import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

export const mails: Record<string, Mail> = {
  'messages.received': {
    label: 'A new message',
    facts: {
      ...{ name: 'Jonas Okafor', title: 'Gift box', count: 1 },
      ...{ text: 'The dummy is folded. It closes, and it stands.', files: 'gift-box-v3.pdf' },
    },
    // No placeholders: `colleague` where the newest is by somebody of the client, `before` what came before it, `reply`
    // where replies to the mail arrive.
    words: (t, it) => ({
      subject:
        Number(it.count) > 1
          ? t('{title}: {count, plural, one {# new message} other {# new messages}}', it)
          : t('{name}: {title}', it),
      paragraphs: [it.colleague ? t('{name} writes:', it) : t('{name} of {workspace} writes:', it)],
      quotes: [{ by: '', text: String(it.text) }, ...earlier(t, it)],
      details: [
        [t('Conversation'), String(it.title)],
        ...(it.files ? ([[t('Attached'), String(it.files)]] as [string, string][]) : []),
      ],
      action: t('Open the conversation'),
      after: it.reply ? [t('You can also reply to this e-mail: your answer is added to the conversation.')] : [],
      why: t('You get this because you take part in this conversation. You can stop e-mails about it there.'),
    }),
  },
}

const Before = z.array(z.object({ by: z.string(), text: z.string() }))

/** What else is new, for the facts of a mail. */
export const beforeText = (quotes: Quote[]): string => JSON.stringify(quotes)

function earlier(t: Speech['t'], { before }: Facts): Quote[] {
  const quotes = before ? Before.parse(JSON.parse(String(before))) : []
  return quotes.map(({ by, text }, at) => ({ by: at ? by : t('Before that: {name}', { name: by }), text }))
}
