import type { TrueClient, TrueDocument, TrueLine, Truth } from '../truth.ts'

/** truth.json of the snapshot of Dolibarr: its classes, its REST API and its web portal, in the document's currency. */
export function dolibarrTruth(truth: Recorded): Truth {
  return {
    asOf: truth.asOf,
    documents: [
      ...truth.invoices.map(it => invoiceOf(it, truth.asOf)),
      ...truth.proposals.map(it => proposalOf(it, truth.asOf)),
    ],
    clients: truth.clients.flatMap(clientOf),
  }
}

interface Recorded {
  asOf: string
  invoices: RecordedInvoice[]
  proposals: RecordedProposal[]
  clients: Client[]
}

interface RecordedDocument {
  id: number
  number: string
  clientId: number
  entity: number
  fk_statut: number
  status: { en: string }
  date: string
  currency: { documentCurrency: string; companyCurrency: string; net: string; tax: string; total: string }
  lines: RecordedLine[]
}

interface RecordedInvoice extends RecordedDocument {
  type: number
  paye: number
  due: string | null
  remainToPay: { inDocumentCurrency: string }
  sums: { paymentsMulticurrency: string }
  payments: { date: string; amount: string }[]
  discountsApplied: { amountMulticurrency: string }[]
}

interface RecordedProposal extends RecordedDocument {
  validUntil: string | null
  signedOn: string | null
}

interface RecordedLine {
  label: string | null
  description: string | null
  productLabel: string | null
  printedText: string | null
  quantity: string
  unitPrice: string
  unitPriceMulticurrency: string | null
  net: string
  netMulticurrency: string | null
  specialCode: number | null
}

interface Client {
  id: number
  name: string
  entities: {
    entity: number
    openPerCurrency: Record<string, string>
    getOutstandingBills: { openedCount: number }
    getOutstandingBillsLate: { opened: string }
    openAndPositive: number
  }[]
}

/** Drafts are listed by this version of its web portal, and shown to nobody here. */
const common = (it: RecordedDocument): Omit<TrueDocument, 'section'> => ({
  id: String(it.id),
  client: String(it.clientId),
  workspace: String(it.entity),
  crmStatus: `${it.fk_statut} ${it.status.en}`,
  shown: it.fk_statut === 0 ? 'no' : 'yes',
  number: it.number,
  sentOn: it.date,
  currency: it.currency.documentCurrency,
  net: it.currency.net,
  tax: it.currency.tax,
  total: it.currency.total,
  lines: it.lines.map(lineOf),
})

/** Type 2 is a credit note, which may be shown with its invoice instead. */
function invoiceOf(it: RecordedInvoice, asOf: string): TrueDocument {
  const document = { ...common(it), section: 'invoices' as const, dueOn: it.due ?? undefined }
  if (it.type === 2) return { ...document, shown: it.fk_statut === 0 ? 'no' : 'either' }
  const foreign = it.currency.documentCurrency !== it.currency.companyCurrency
  return {
    ...document,
    ...standingOf(it, asOf),
    payments: foreign ? undefined : it.payments.map(({ date, amount }) => ({ on: date, amount })),
    credited: it.discountsApplied.map(one => one.amountMulticurrency),
  }
}

/** What Dolibarr has closed is not asked for, whatever remains of it by one or another of its sums. */
function standingOf(it: RecordedInvoice, asOf: string): Partial<TrueDocument> {
  const left = it.remainToPay.inDocumentCurrency
  if (it.fk_statut === 3) return { status: ['cancelled'], due: ['0'] }
  if (it.fk_statut === 2) return { status: it.paye ? ['paid'] : ['paid', 'cancelled'], due: ['0'] }
  // A surplus that became a discount of its own: the invoice stays open at less than zero.
  if (Number(left) <= 0) return { status: ['paid', 'open', 'overdue'], due: [left, '0'] }
  return { status: [it.due && it.due < asOf ? 'overdue' : 'open'], due: [left] }
}

const proposalStatuses: Record<number, string[]> = {
  2: ['accepted'],
  3: ['declined'],
  4: ['accepted'],
  [-1]: ['withdrawn', 'declined', 'other'],
}

const proposalOf = (it: RecordedProposal, asOf: string): TrueDocument => ({
  ...common(it),
  section: 'proposals',
  shown: it.fk_statut === 0 ? 'no' : it.fk_statut === -1 ? 'either' : 'yes',
  status:
    it.fk_statut === 1 ? [it.validUntil && it.validUntil < asOf ? 'expired' : 'open'] : proposalStatuses[it.fk_statut],
  validUntil: it.validUntil,
  respondedOn: [2, 3, 4].includes(it.fk_statut) ? (it.signedOn ?? undefined) : undefined,
})

function lineOf(it: RecordedLine): TrueLine {
  const { label, description, productLabel, printedText } = it
  const named = `${label ?? productLabel ?? ''} ${description ?? ''}`
  return {
    titles: [printedText, label, description, productLabel, named].filter(one => one !== null),
    quantity: it.quantity,
    price: it.unitPriceMulticurrency ?? it.unitPrice,
    total: it.netMulticurrency ?? it.net,
    mayLack: Number(it.quantity) === 0 || (it.specialCode ?? 0) !== 0,
  }
}

const clientOf = ({ id, name, entities }: Client): TrueClient[] =>
  entities.map(entity => ({
    id: String(id),
    workspace: String(entity.entity),
    name,
    due: entity.openPerCurrency,
    // In the company's currency alone, and less all credit: not judged where there is another currency, or credit.
    overdue: hasOtherThanInvoices(entity) ? undefined : [{ EUR: entity.getOutstandingBillsLate.opened }],
  }))

const hasOtherThanInvoices = (it: Client['entities'][number]): boolean =>
  it.openAndPositive !== it.getOutstandingBills.openedCount ||
  Object.keys(it.openPerCurrency).some(currency => currency !== 'EUR')
