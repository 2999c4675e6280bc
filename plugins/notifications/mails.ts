import { itemsIn } from '../../src/mail/items.ts'
import type { Mail } from '../../src/mail/kinds.ts'

export const mails: Record<`notifications.${string}`, Mail> = {
  'notifications.notice': {
    label: 'Notification without words of its own',
    facts: { text: '2026-0131: €1,200.00', more: '15 Dec 2026' },
    words: (t, it) => ({
      subject: String(it.text),
      paragraphs: [ended(String(it.text)), ended(String(it.more))].filter(Boolean),
      action: t('View it'),
      after: [],
      why: t('You get this because of your notification settings in the {workspace} portal.', it),
    }),
  },
  'notifications.summary': {
    label: 'Summary of notifications',
    facts: {
      count: 2,
      items: '2026-0131: €1,200.00\n15 Dec 2026\nhttps://crm.example/portal/acme/invoices/131',
    },
    words: (t, it) => ({
      subject: t('{count, plural, one {One update} other {# updates}} from {workspace}', {
        ...it,
        count: Number.isInteger(Number(it.count)) ? Number(it.count) : 2,
      }),
      paragraphs: [t('This is new since your last summary:')],
      items: itemsIn(String(it.items)),
      action: t('See all notifications'),
      after: [],
      why: t('You get this because of your notification settings in the {workspace} portal.', it),
    }),
  },
}

/** A notification has no full stop; in a letter it has one, unless it is no more than an amount. */
const ended = (text: string) => (/\p{L}.*[^.:?!…”»]$/u.test(text) ? `${text}.` : text)
