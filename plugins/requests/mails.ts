import { itemsIn } from '../../src/mail/items.ts'
import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

const facts: Facts = {
  ...{ staff: 'Tomás Ferreira', name: 'Year-end 2026', count: 2, day: 'Friday 11 December' },
  items: `Bank statements\nAll accounts, PDF or MT940\n–\n\nStock count\nOne sheet per shop\n–`,
}

export const mails: Record<string, Mail> = {
  'requests.sent': {
    label: 'A new request',
    facts,
    words: (t, it) => ({
      subject: t('{workspace} needs {count, plural, one {one thing} other {# things}} from you: {name}', it),
      paragraphs: [t('{staff} of {workspace} asks you to send this:', it)],
      ...rest(t, it),
      action: t('Send the files'),
    }),
  },
  'requests.returned': {
    label: 'Something of a request was sent back',
    facts,
    words: (t, it) => ({
      subject: t('{name}: {count, plural, one {one thing was sent back} other {# things were sent back}}', it),
      paragraphs: [t('{staff} of {workspace} has looked at what you sent. Something is still missing:', it)],
      ...rest(t, it),
      action: t('Send it again'),
    }),
  },
  'requests.prompt': {
    label: 'A reminder of a request, sent by staff',
    facts,
    words: (t, it) => ({
      subject: t('{name}: {count, plural, one {one thing is missing} other {# things are missing}}', it),
      paragraphs: [t('{workspace} is still waiting for this:', it)],
      ...rest(t, it),
      action: t('Send the files'),
    }),
  },
}

/** What all of them have. */
const rest = (t: Speech['t'], it: Facts) => ({
  items: itemsIn(String(it.items)),
  details: it.day ? ([[t('Due'), String(it.day)]] as [string, string][]) : [],
  after: [],
  why: t('You get this because you can send files for your company.'),
})
