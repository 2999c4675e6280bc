import type { Ports } from '../../src/crm/crm.ts'
import { lineNames } from '../../src/crm/line-names.ts'
import { NotFound } from '../../src/http/errors.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type {
  ExpiringDocument,
  Linkable,
  PayableDocument,
  PendingDocument,
  RecordNews,
  Subject,
  SubjectRecord,
} from '../../src/plugin/subjects.ts'
import { dueOnAcceptance } from './down-payment.ts'
import type { Offer, Offers, Summary } from './port.ts'

/** An offer as other plugins attach to it. */
export function offerSubject(name: string, title: string): Subject {
  const port = (ports: Partial<Ports>) => (ports as Record<string, Offers | undefined>)[name]!
  return {
    label: title,
    page: `${name}/show`,
    find: async (ports, id, speech) => recordOf(await port(ports).find(id), speech),
    link: linkOf(name),
    changed: {
      may: ['see'],
      news: async (ports, id, since) => newsOf(name, await port(ports).find(id), since),
      async newest(ports, size) {
        const { items } = await port(ports).list({ sort: 'newest', size })
        return items.map(it => it.id)
      },
    },
    expiring: {
      may: ['see', 'respond'],
      on: ['responses'],
      answerable: ports => Boolean(port(ports).respond || port(ports).submit),
      async list(ports, { size, after }) {
        const { items, next } = await port(ports).list({ status: 'open', sort: 'urgent', size, after })
        return {
          items: items.map(({ id, sentOn, validUntil }): ExpiringDocument => ({ id, sentOn, validUntil })),
          next,
        }
      },
      async find(ports, id) {
        const { status, number, title, version, total, validUntil } = await port(ports).find(id)
        const found: PendingDocument = { id, number, title, version, total, validUntil }
        return status === 'open' ? found : undefined
      },
    },
    payable: {
      may: ['see'],
      downPayments: true,
      async list(ports, asked) {
        const found = await port(ports).downPayments?.(asked)
        return { items: (found?.items ?? []).map(payable), next: found?.next ?? null }
      },
      async find(ports, id) {
        const offer = await port(ports).find(id)
        if (!dueOnAcceptance(offer)) throw new NotFound()
        return { ...payable(offer), account: offer.account }
      },
    },
  }
}

/** A new one or a new version, and one that the person was told of and that is withdrawn. */
function newsOf(
  name: string,
  { id, number, title, version, total, status, sentOn }: Offer,
  since: string,
): RecordNews[] {
  const facts = { number, title, version, total }
  const sent = { kind: `${name}.sent`, key: `${id} ${version}` }
  if (status === 'withdrawn') return [{ kind: `${name}.withdrawn`, key: sent.key, facts, after: sent }]
  return status === 'open' && sentOn >= since ? [{ ...sent, facts }] : []
}

/** Its down payment as something to pay, once it is accepted. */
function payable(it: Summary): PayableDocument {
  const { id, number, title, total, sentOn, status } = it
  const due = dueOnAcceptance(it) ?? { ...total, amount: '0' }
  const balance = status === 'accepted' ? due : { ...due, amount: '0' }
  return { id, number, title, total: due, balance, sentOn, dueOn: null, overdue: false }
}

/** The record with its line names, for questions about a line. */
export const recordOf = ({ id, number, title, lines }: Offer, speech: Speech): SubjectRecord => ({
  id,
  number,
  title,
  parts: lines.map(it => it.title),
  names: lineNames(lines, speech),
})

const linkOf = (name: string): Linkable => ({
  toggle: `${name}.links`,
  opens: [
    ...['', '/pdf', '/attachments/:attachment'],
    ...['/acceptance', '/rejection', '/evidence', '/evidence/pdf', '/evidence/bundle'],
  ].map(it => `/:id${it}`),
  may: [`${name}.see`, `${name}.respond`],
  without: [`${name}.questions`],
  withoutCode: [`${name}.responses`],
})
