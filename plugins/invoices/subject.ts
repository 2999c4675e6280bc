import type { Ports } from '../../src/crm/crm.ts'
import { lineNames } from '../../src/crm/line-names.ts'
import type { Speech } from '../../src/platform/i18n.ts'
import type { PayableDocument, RecordNews, Subject, SubjectRecord } from '../../src/plugin/subjects.ts'
import type { Invoice, Summary } from './port.ts'

/** An invoice as other plugins attach to it. */
export const subject: Subject = {
  label: 'Invoice',
  page: 'invoices/show',
  find: async (ports, id, speech) => recordOf(await portOf(ports).find(id), speech),
  link: {
    toggle: 'invoices.links',
    opens: ['/:id', '/:id/pdf'],
    may: ['invoices.see'],
    without: ['invoices.questions'],
    withoutCode: [],
  },
  changed: {
    may: ['see'],
    news: async (ports, id, since) => newsOf(await portOf(ports).find(id), since),
    async newest(ports, size) {
      const { items } = await portOf(ports).list({ sort: 'newest', size })
      return items.map(it => it.id)
    },
  },
  payable: {
    may: ['see'],
    async list(ports, { size, after }) {
      const { items, next } = await portOf(ports).list({ status: 'open', sort: 'urgent', size, after })
      return { items: items.map(payable), next }
    },
    async find(ports, id) {
      const found = await portOf(ports).find(id)
      return { ...payable(found), account: found.account }
    },
  },
}

/** A new one, and what became of one that the person was told of. */
function newsOf({ id, number, total, status, sentOn, dueOn }: Summary, since: string): RecordNews[] {
  const facts = { number, total, day: { day: dueOn } }
  const after = { kind: 'invoices.sent', key: id }
  if (status === 'paid' || status === 'cancelled') return [{ kind: `invoices.${status}`, key: id, facts, after }]
  if (status === 'other' || sentOn < since) return []
  return [{ kind: 'invoices.sent', key: id, facts }]
}

const portOf = (ports: Partial<Ports>) => ports.invoices!

/** The record with the names of its lines, for questions about a line. */
export const recordOf = ({ id, number, title, lines }: Invoice, speech: Speech): SubjectRecord => ({
  ...{ id, number, title },
  parts: lines.map(it => it.title),
  names: lineNames(lines, speech),
})

/** Nothing can be paid of what is paid, cancelled or of a status that the map does not know. */
const payable = ({ id, number, title, total, balance, status, sentOn, dueOn }: Summary): PayableDocument => ({
  ...{ id, number, title, total, sentOn, dueOn },
  balance: status === 'open' || status === 'overdue' ? balance : { ...balance, amount: '0' },
  overdue: status === 'overdue',
})
