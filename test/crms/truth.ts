/** What a CRM itself says of its documents, in the words of the portal. What is undefined is not judged. */
export interface Truth {
  /** The day on which it was asked: what is overdue or expired is judged then. */
  asOf: string
  documents: TrueDocument[]
  clients: TrueClient[]
}

export type SectionName = 'invoices' | 'quotations' | 'proposals'

export interface TrueDocument {
  section: SectionName
  id: string
  /** Ids of its client and its workspace in the CRM. */
  client: string
  workspace: string
  /** Its status as the CRM has it, for messages. */
  crmStatus: string
  /** `either`: the CRM shows it although it is internal, or keeps it among documents of another kind. */
  shown: 'yes' | 'no' | 'either'
  number?: string
  /** Where several are named, each is right. */
  status?: string[]
  /** Plain dates; or instants, whose dates are those of the workspace. */
  sentOn?: string
  dueOn?: string
  /** Null: without end. */
  validUntil?: string | null
  respondedOn?: string
  currency?: string
  net?: string
  tax?: string
  total?: string
  /** What is left to pay. Where several are named, each is right. */
  due?: string[]
  lines?: TrueLine[]
  payments?: { on: string; amount: string }[]
  /** Amounts of the credit notes and deposits that were taken off it. */
  credited?: string[]
}

export interface TrueLine {
  /** Each of them is right. */
  titles: string[]
  quantity: string
  price?: string
  total: string
  /** A line that the CRM does not print, or that counts nothing: right both shown and left out. */
  mayLack?: boolean
}

/** Amounts by currency; a currency without any may be left out. */
export type ByCurrency = Record<string, string>

export interface TrueClient {
  id: string
  workspace: string
  name: string
  /** How many invoices have something left to pay. */
  open?: number
  due?: ByCurrency
  /** Where several are named, each is right. */
  overdue?: ByCurrency[]
}
