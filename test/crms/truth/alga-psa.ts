import type { TrueClient, TrueDocument, TrueLine, Truth } from '../truth.ts'

/** truth.json of the snapshot of AlgaPSA: its own client portal. */
export function algaPsaTruth(truth: Recorded): Truth {
  return {
    asOf: truth.as_of,
    documents: truth.documents.map(documentOf),
    clients: truth.clients.map(clientOf),
  }
}

interface Recorded {
  as_of: string
  documents: RecordedDocument[]
  clients: { id: string; tenant: string; name: string; open: number; due: object; overdue: object }[]
}

interface RecordedDocument {
  kind: 'invoice' | 'quotation'
  id: string
  client: string | null
  tenant: string
  number: string | null
  status: string | null
  crm_status: string | null
  currency: string
  net: string
  tax: string
  total: string
  due: string | null
  date: string | null
  due_date?: string | null
  valid_until?: string | null
  visible: boolean
  may_hide?: boolean
  accept?: { status?: string[] }
  lines: { title: string; quantity: string; price: string; total: string }[]
}

function documentOf(it: RecordedDocument): TrueDocument {
  const invoice = it.kind === 'invoice'
  return {
    section: invoice ? 'invoices' : 'quotations',
    id: it.id,
    client: it.client ?? '',
    workspace: it.tenant,
    crmStatus: it.crm_status ?? 'template',
    shown: it.may_hide ? 'either' : it.visible ? 'yes' : 'no',
    number: it.number ?? undefined,
    status: it.status === null ? undefined : [it.status, ...(it.accept?.status ?? [])],
    sentOn: it.date ?? undefined,
    dueOn: it.due_date ?? undefined,
    validUntil: invoice ? undefined : it.valid_until,
    currency: it.currency,
    net: it.net,
    tax: it.tax,
    total: it.total,
    due: invoice && it.due !== null ? [it.due] : undefined,
    lines: it.lines.map(lineOf),
  }
}

const lineOf = ({ title, quantity, price, total }: RecordedDocument['lines'][number]): TrueLine => ({
  titles: [title],
  quantity,
  price,
  total,
})

const clientOf = ({ id, tenant, name, open, due, overdue }: Recorded['clients'][number]): TrueClient => ({
  id,
  workspace: tenant,
  name,
  open,
  due: { ...due },
  overdue: [{ ...overdue }],
})
