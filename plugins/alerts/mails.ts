import type { Facts, Mail } from '../../src/mail/kinds.ts'
import type { Speech } from '../../src/platform/i18n.ts'

const since = '21 Nov 2026, 14:03'

export const mails: Record<`alerts.${string}`, Mail> = {
  'alerts.failures': {
    label: 'Alert: failed sign-ins',
    facts: { times: 20, since, from: '203.0.113.9' },
    words: (t, it) => ({
      subject: t('Security alert: many failed sign-ins'),
      paragraphs: [
        t('At least {times} sign-ins to the client portal of {workspace} failed since {since}.', it),
        t('Somebody may be guessing passwords. The portal slows them down by itself and locks accounts for a while.'),
      ],
      details: detailsOf(t, it),
      action: t('See the alerts'),
      after: [
        t(
          'If it is the address of one of your clients, ask them whether they need a new password. If not, block it in your firewall.',
        ),
      ],
      why: why(t, it),
    }),
  },
  'alerts.foreign': {
    label: 'Alert: asking for pages of others',
    facts: { times: 20, since, from: 'Nadia El-Khoury' },
    words: (t, it) => ({
      subject: t('Security alert: somebody asks for pages they can’t see'),
      paragraphs: [
        t('Since {since}, at least {times} pages were requested that don’t exist or that these people can’t see.', it),
        t('They were shown none of them. Somebody may be trying numbers to find other clients’ documents.'),
      ],
      details: detailsOf(t, it),
      action: t('See the alerts'),
      after: [t('Ask them whether it was them. If not, suspend them under People: that signs them out right away.')],
      why: why(t, it),
    }),
  },
  'alerts.exports': {
    label: 'Alert: many downloads',
    facts: { times: 100, since, from: 'Nadia El-Khoury' },
    words: (t, it) => ({
      subject: t('Security alert: unusually many downloads'),
      paragraphs: [
        t('At least {times} documents and lists were downloaded since {since}.', it),
        t('All of them belong to the person’s own company. Somebody else may be using their account.'),
      ],
      details: detailsOf(t, it),
      action: t('See the alerts'),
      after: [t('Ask them whether it was them. If not, suspend them under People: that signs them out right away.')],
      why: why(t, it),
    }),
  },
}

const detailsOf = (t: Speech['t'], it: Facts): [label: string, value: string][] => [
  [t('Who'), String(it.from)],
  [t('Since'), String(it.since)],
  [t('At least'), t('{times} times', it)],
]

const why = (t: Speech['t'], it: Facts) =>
  t(
    'You get this because you administer {workspace}, or because your address is entered under Alerts in the settings.',
    it,
  )
