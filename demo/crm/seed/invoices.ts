import type { Client, Setting } from './clients.ts'
import { someLines, worded } from './lines.ts'
import type { Invoice, Payment } from './papers.ts'

type Outcome =
  | 'paid'
  | 'twice'
  | 'overdue'
  | 'forgotten'
  | 'late'
  | 'open'
  | 'begun'
  | 'credited'
  | 'void'
  | 'draft'
  | 'deleted'

const weights: { value: Outcome; weight: number }[] = [
  { value: 'paid', weight: 60 },
  { value: 'twice', weight: 8 },
  { value: 'overdue', weight: 6 },
  { value: 'forgotten', weight: 1 },
  { value: 'late', weight: 3 },
  { value: 'open', weight: 9 },
  { value: 'begun', weight: 3 },
  { value: 'credited', weight: 4 },
  { value: 'void', weight: 2 },
  { value: 'draft', weight: 3 },
  { value: 'deleted', weight: 2 },
]

const always: Outcome[] = ['draft', 'deleted', 'overdue', 'late', 'open', 'begun', 'credited', 'void', 'twice']

const longSubject =
  'Everything that was agreed on the telephone, in the corridor and by the coffee machine during the last three busy months'

export function planInvoices(setting: Setting, client: Client): Invoice[] {
  return outcomes(setting, client).map((outcome, index) => planInvoice(setting, client, outcome, index))
}

const repeat = (outcome: Outcome, count: number) => Array.from({ length: count }, () => outcome)

function outcomes({ faker }: Setting, client: Client): Outcome[] {
  if (client.role === 'empty' || client.role === 'showcase') return []
  if (client.role === 'huge') {
    const unpaid: Outcome[] = [...repeat('open', 12), ...repeat('overdue', 4), ...repeat('late', 2)]
    return [...unpaid, ...repeat('paid', 5000 - unpaid.length)]
  }
  const drawn = (count: number) => Array.from({ length: count }, () => faker.helpers.weightedArrayElement(weights))
  if (client.role === 'busy') return [...always, ...drawn(16)]
  return drawn(3 + Math.floor(faker.number.float() ** 3 * 23))
}

function planInvoice(setting: Setting, client: Client, outcome: Outcome, index: number): Invoice {
  const { faker, days, workspace } = setting
  const within = (min: number, max: number) => faker.number.int({ min, max })
  const term = client.paymentDays
  const issuedAt = issueOffset(outcome, term, within)
  const issued = days.day(issuedAt)
  const draft = outcome === 'draft' || (outcome === 'deleted' && index % 2 === 0)
  const [group, subject] = faker.helpers.arrayElement(workspace.vocabulary.invoices)
  const lines = someLines(
    setting,
    client,
    [group],
    client.role === 'huge' ? 1 : within(outcome === 'credited' ? 2 : 1, 4),
    issued,
  )
  const dueAt = issuedAt + term
  const issuedState = outcome === 'void' ? 'void' : 'issued'
  return {
    client,
    created: issued,
    issued: draft ? null : issued,
    due: draft ? null : days.day(dueAt),
    subject: client.id % 10 === 8 && index === 1 ? longSubject : worded(subject, issued),
    order: index % 3 === 0 ? `PO-${faker.string.numeric(5)}` : null,
    remarks: index % 11 === 5 ? 'Thank you for your patience with the scaffolding.' : null,
    state: draft ? 'draft' : issuedState,
    discount: client.currency !== 'JPY' && outcome !== 'credited' && index % 9 === 4 ? '5' : null,
    reminded: ['overdue', 'late', 'forgotten'].includes(outcome) && dueAt < -7 ? days.day(dueAt + 7) : undefined,
    deleted: outcome === 'deleted' ? days.day(Math.min(issuedAt + 1, 0)) : undefined,
    lines,
    payments: paymentsFor(setting, client, outcome, issuedAt, dueAt),
    credit:
      outcome === 'credited'
        ? {
            day: days.day(Math.min(issuedAt + 6, 0)),
            reason: `Correction: ${lines[0]!.title.toLowerCase()} not delivered`,
            line: 0,
            state: index % 4 === 0 ? 'draft' : 'issued',
          }
        : undefined,
  }
}

function issueOffset(outcome: Outcome, term: number, within: (min: number, max: number) => number): number {
  if (outcome === 'draft') return -within(0, 10)
  if (outcome === 'deleted') return -within(2, 90)
  if (outcome === 'overdue' || outcome === 'late') return -term - within(1, 75)
  if (outcome === 'forgotten') return -term - within(200, 500)
  if (outcome === 'open' || outcome === 'begun') return -within(1, term)
  return -within(Math.min(term, 20), 728)
}

function paymentsFor(setting: Setting, client: Client, outcome: Outcome, issuedAt: number, dueAt: number): Payment[] {
  const { faker, days, workspace } = setting
  const paidAt = (after: number) => days.day(Math.min(Math.max(issuedAt + 1, dueAt + after), 0))
  const method = faker.helpers.arrayElement(
    workspace.slug === 'harbor'
      ? ['bank transfer', 'cheque', 'card']
      : ['bank transfer', 'bank transfer', 'direct debit', 'card'],
  )
  const from = { method, payer: client.name.slice(0, 160) }
  const rest: Payment = { ...from, day: paidAt(faker.number.int({ min: -12, max: 9 })), amount: { rest: true } }
  if (outcome === 'twice') return [{ ...from, day: paidAt(-13), amount: { percent: 40n } }, rest]
  if (outcome === 'late' || outcome === 'begun') return [{ ...from, day: paidAt(-10), amount: { percent: 50n } }]
  return outcome === 'paid' || outcome === 'credited' ? [rest] : []
}
