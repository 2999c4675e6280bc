import { itemsIn } from '../../src/mail/items.ts'
import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

const signed = {
  ...{ name: 'Nadia El-Khoury', client: 'Acme Bakery', number: 'P-2026-031', version: 2 },
  ...{ what: 'Relaunch', total: '€16,736.72' },
}

export const mails: Record<string, Mail> = {
  'staff-mails.accepted': {
    label: 'To staff: a client accepted',
    facts: { ...signed, order: 'PO-4711', requestedOn: '1 Dec 2026' },
    words: (t, it) => ({
      subject: t('{client} accepted {number}', it),
      paragraphs: [t('{name} of {client} accepted “{what}”.', it), ...said(it.pending)],
      details: [
        ...document(t, it),
        ...given(t('Order number'), it.order),
        ...given(t('Preferred delivery date'), it.requestedOn),
      ],
      action: t('Open it'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.declined': {
    label: 'To staff: a client declined',
    facts: { ...signed, reason: '€16,736.72 > €15,000.00' },
    words: (t, it) => ({
      subject: t('{client} declined {number}', it),
      paragraphs: [t('{name} of {client} declined “{what}”.', it), ...said(it.pending)],
      quotes: [{ by: t('The reason:'), text: String(it.reason) }],
      details: document(t, it),
      action: t('Open it'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.refused': {
    label: 'To staff: a response that the CRM rejected',
    facts: signed,
    // `act` is no placeholder: a workspace's own words are for both.
    words: (t, it) => ({
      subject: t('Rejected by the CRM: the response of {client} to {number}', it),
      paragraphs: [
        it.act === 'declined'
          ? t('{name} of {client} declined “{what}”, but the CRM did not take it. Nothing was declined.', it)
          : t('{name} of {client} accepted “{what}”, but the CRM did not take it. Nothing was accepted.', it),
        t('It changed or was closed in the CRM before the response arrived. The client was told by e-mail.'),
      ],
      details: document(t, it),
      action: t('See rejected responses'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.questions': {
    label: 'To staff: a client asks',
    facts: {
      ...{ name: signed.name, client: signed.client, number: signed.number },
      ...{ line: 'Photography', text: '2 × 180 km?' },
      ...{ attached: 1, files: 'Route.pdf' },
      answer: 'https://crm.example/settings/client-portal/questions',
    },
    // `disputed` is no placeholder: it is there where the client does not agree.
    words: (t, it) => ({
      subject: it.disputed ? t('{name} disputes {number}', it) : t('{name} asks about {number}', it),
      paragraphs: [t('{name} of {client} writes:', it)],
      quotes: [{ by: '', text: String(it.text) }],
      details: [
        [t('Document'), String(it.number)],
        ...given(t('Line'), it.line),
        [t('Client'), String(it.client)],
        ...given(
          t('{count, plural, one {# file attached} other {# files attached}}', { count: Number(it.attached) || 1 }),
          it.files,
        ),
      ],
      action: t('Open it'),
      after: [t('Answer it here: {answer}', it)],
      why: why(t, it),
    }),
  },
  'staff-mails.messages': {
    label: 'To staff: a client writes',
    facts: {
      ...{ name: signed.name, client: signed.client, title: 'Gift box', count: 1 },
      ...{ text: 'Yes, 4 mm taller. Please print.', attached: 1, files: 'Box.pdf' },
    },
    // `reply` is no placeholder: it is there where replies to the mail arrive.
    words: (t, it) => ({
      subject: t('{name} writes: {title}', it),
      paragraphs: [t('{name} of {client} is waiting for an answer. Nobody has read this yet:', it)],
      quotes: [{ by: '', text: String(it.text) }],
      details: [
        [t('Conversation'), String(it.title)],
        [t('Client'), String(it.client)],
        ...given(
          t('{count, plural, one {# file attached} other {# files attached}}', { count: Number(it.attached) || 1 }),
          it.files,
        ),
      ],
      action: t('Answer'),
      after: it.reply
        ? [t('You can also reply to this e-mail: {client} gets your answer in the conversation.', it)]
        : [],
      why: why(t, it),
    }),
  },
  'staff-mails.uploads': {
    label: 'To staff: a client sent files',
    facts: { name: signed.name, client: signed.client, count: 2, list: 'Sketch.pdf\nLogo.png' },
    words: (t, it) => ({
      subject: t('{client} sent {count, plural, one {a file} other {# files}}', counted(it)),
      paragraphs: [t('{name} of {client} uploaded:', it)],
      quotes: [{ by: '', text: String(it.list) }],
      action: t('See documents'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.countersignatures': {
    label: 'To staff: waits for a countersignature',
    facts: { ...signed, time: '21 Nov 2026, 09:00' },
    words: (t, it) => ({
      subject: t('Waiting for your countersignature: {number}', it),
      paragraphs: [t('{name} of {client} accepted “{what}” on {time}. Nobody has countersigned it yet.', it)],
      details: document(t, it),
      action: t('Countersign'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.failures': {
    label: 'To staff: e-mails that failed',
    facts: { count: 2, list: 'nadia@acmebakery.example: Your code' },
    words: (t, it) => ({
      subject: t('{count, plural, one {An e-mail could not be sent} other {# e-mails could not be sent}}', counted(it)),
      paragraphs: [t('These e-mails to your clients did not arrive:')],
      quotes: [{ by: '', text: String(it.list) }],
      action: t('See failed e-mails'),
      after: [],
      why: why(t, it),
    }),
  },
  'staff-mails.digest': {
    label: 'To staff: daily summary',
    facts: {
      count: 2,
      items: 'Acme Bakery accepted P-2026-031\nNadia El-Khoury · €16,736.72\nhttps://crm.example/proposals/31',
    },
    words: (t, it) => ({
      subject: t('{count, plural, one {One update} other {# updates}} from your clients', counted(it)),
      paragraphs: [t('Since the last summary:')],
      items: itemsIn(String(it.items)),
      action: t('See all responses'),
      after: [],
      why: why(t, it),
    }),
  },
}

const document = (t: Speech['t'], it: Facts): [label: string, value: string][] => [
  [t('Document'), `${it.number} (${t('version {version}', { version: String(it.version) })})`],
  [t('Client'), String(it.client)],
  ...given(t('Total'), it.total),
]

/** Nothing where there is no value. */
const given = (label: string, value: string | number | undefined): [label: string, value: string][] =>
  value ? [[label, String(value)]] : []

/** A sentence, where there is one. */
const said = (it: Facts[string] | undefined): string[] => (it ? [String(it)] : [])

/** A workspace that edits the text sees a placeholder in place of the number. */
const counted = (it: Facts): Facts => ({ ...it, count: Number.isInteger(Number(it.count)) ? Number(it.count) : 2 })

const why = (t: Speech['t'], it: Facts) =>
  t('You get this because {workspace} mails its staff about what clients do: see Staff mails in the settings.', it)
