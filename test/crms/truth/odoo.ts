import Big from 'big.js'
import type { TrueClient, TrueDocument, TrueLine, Truth } from '../truth.ts'

/** truth.json of the snapshot of Odoo 19: its ORM and its own portal. Drafts and vendor bills are no client's. */
export function odooTruth(truth: Recorded): Truth {
  const asOf = truth.about.as_of
  return {
    asOf,
    documents: truth.documents.map(it => (it.model === 'sale.order' ? orderOf(it) : invoiceOf(it, asOf))),
    clients: truth.customers.flatMap(it => clientOf(it, truth.documents)),
  }
}

interface Recorded {
  about: { as_of: string }
  documents: RecordedDocument[]
  customers: Customer[]
}

interface RecordedDocument {
  model: 'sale.order' | 'account.move'
  kind: string
  id: number
  number: string | null
  state: string
  payment_state?: string
  customer: number
  company: number
  currency: string
  untaxed: string
  tax: string
  total: string
  residual?: string
  date_order?: string
  validity_date?: string | null
  is_expired?: boolean
  signed_on?: string | null
  invoice_date?: string | null
  invoice_date_due?: string | null
  imitated_in_payment?: boolean
  reconciled?: { kind: string; amount: string; currency: string; date: string; move: number }[]
  lines: {
    name: string
    display_type: string | null
    quantity: number
    price_unit: number
    subtotal: string
  }[]
}

interface Customer {
  id: number
  name: string
  companies: {
    company: number
    by_currency: Record<string, { residual: string; overdue: string; instalments_overdue: string }>
  }[]
}

const common = (it: RecordedDocument) => ({
  id: String(it.id),
  client: String(it.customer),
  workspace: String(it.company),
  crmStatus: [it.kind, it.state, it.payment_state].filter(Boolean).join(' '),
  number: it.number ?? undefined,
  currency: it.currency,
  net: it.untaxed,
  tax: it.tax,
  total: it.total,
  lines: it.lines.filter(line => line.display_type === null || line.display_type === 'product').map(lineOf),
})

const orderStatuses: Record<string, string[]> = {
  sent: ['open'],
  sale: ['accepted'],
  // Odoo's portal lists no cancelled order, and has no word for it.
  cancel: ['declined', 'withdrawn', 'expired', 'other'],
}

const orderOf = (it: RecordedDocument): TrueDocument => ({
  ...common(it),
  section: 'quotations',
  shown: it.state === 'draft' ? 'no' : it.state === 'cancel' ? 'either' : 'yes',
  status: it.state === 'sent' && it.is_expired ? ['expired'] : orderStatuses[it.state],
  sentOn: it.date_order && instant(it.date_order),
  validUntil: it.validity_date ?? null,
  respondedOn: it.state === 'sale' && it.signed_on ? instant(it.signed_on) : undefined,
})

const instant = (utc: string) => `${utc.replace(' ', 'T')}Z`

/** Credit notes and receipts are shown with the invoice that they belong to, or not at all. */
function invoiceOf(it: RecordedDocument, asOf: string): TrueDocument {
  const own = it.kind === 'out_invoice'
  const internal = it.state === 'draft' || it.kind === 'in_invoice'
  const document = {
    ...common(it),
    section: 'invoices' as const,
    shown: internal ? ('no' as const) : own && it.state === 'posted' ? ('yes' as const) : ('either' as const),
    sentOn: it.invoice_date ?? undefined,
    dueOn: it.invoice_date_due ?? undefined,
  }
  if (!own) return { ...document, net: undefined, tax: undefined, total: undefined, lines: undefined }
  return { ...document, ...paymentOf(it, asOf) }
}

/** Status, what is due, and what it was paid with. */
function paymentOf(it: RecordedDocument, asOf: string): Partial<TrueDocument> {
  if (it.state === 'cancel') return { status: ['cancelled'], due: ['0'] }
  const { residual = '0', invoice_date_due: dueOn } = it
  const left = dueOn && dueOn < asOf ? 'overdue' : 'open'
  const settled = (kind: string) => it.reconciled?.filter(one => one.kind === kind)
  return {
    status: Number(residual) === 0 ? ['paid'] : it.imitated_in_payment ? [left, 'paid'] : [left],
    due: it.imitated_in_payment ? [residual, '0'] : [residual],
    payments: it.imitated_in_payment
      ? undefined
      : settled('payment')?.map(({ date, amount }) => ({ on: date, amount })),
    credited: byMove(settled('credit note') ?? []),
  }
}

/** A credit note may be taken off in several parts. */
const byMove = (its: { move: number; amount: string }[]): string[] =>
  [...Map.groupBy(its, it => it.move).values()].map(parts => sum(parts.map(it => it.amount)))

const sum = (its: string[]) => its.reduce((all, it) => all.plus(it), Big(0)).toString()

const lineOf = (it: RecordedDocument['lines'][number]): TrueLine => ({
  titles: [it.name],
  quantity: String(it.quantity),
  price: String(it.price_unit),
  total: it.subtotal,
})

/** Receipts are in the customer's sums, and shown to nobody by Odoo's own portal. */
const clientOf = ({ id, name, companies }: Customer, documents: RecordedDocument[]): TrueClient[] =>
  companies.map(({ company, by_currency: sums }) => {
    const receipts = documents.filter(
      it => it.kind === 'out_receipt' && it.state === 'posted' && it.customer === id && it.company === company,
    )
    const less = (currency: string, amount: string) =>
      Big(amount)
        .minus(sum(receipts.filter(it => it.currency === currency).map(it => it.residual ?? '0')))
        .toString()
    const summed = (which: 'residual' | 'overdue' | 'instalments_overdue') =>
      Object.fromEntries(Object.entries(sums).map(([currency, its]) => [currency, less(currency, its[which])]))
    return {
      id: String(id),
      workspace: String(company),
      name,
      due: summed('residual'),
      overdue: [summed('overdue'), summed('instalments_overdue')],
    }
  })
