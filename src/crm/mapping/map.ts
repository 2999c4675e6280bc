import type { ContactChange, ContactField, ContactOf } from '../crm.ts'
import type { FileHost } from '../files/web.ts'
import type { PagePatterns } from '../pages.ts'
import type { ReceivedPayment } from '../received-payment.ts'
import type { ClientResponse } from '../response.ts'

/**
 * A text of a row:
 * - `'title'`: a column of the thing's own table;
 * - `'owner_id > staff.full_name'`: along a key to another table. Its key is `id` unless it is named, as in
 *   `'owner_id > staff(staff_no).full_name'`; it may go on: `'project_id > projects.client_id > clients.name'`;
 * - `['first_name', 'last_name']`: those that there are, with blanks between;
 * - `{ first: ['legal_name', 'name'] }`: the first that there is;
 * - `{ value: 'EUR' }`: the same for every row;
 * - `{ column: 'name', … }`: a column that is kept in another form.
 */
export type Text = string | Text[] | { first: Text[] } | { value: string } | Formatted

interface Formatted {
  /** A column, or a path of keys. */
  column: string
  /** The column is `jsonb` with a text for each language, or company: this one is taken. */
  json?: string
  /** The column holds HTML: its words are shown, with none of its tags. */
  html?: boolean
  /** Stands before it, where there is something: `'VAT '`. */
  prefix?: string
}

/** Values of a column as the database writes them; null is a column without any. */
export type Values = (string | number | boolean | null)[]

/** Which rows there are. `'invoices'` is `public.invoices`; other schemas are named: `'billing.invoices'`. */
export interface Rows {
  table?: string
  /** One SELECT in place of a table. Its columns are used like a table's. */
  query?: string
  /** Every table and column that `query` reads: for the role's grants, and to notice when one changes. */
  reads?: Record<string, string[]>
  /** The key column; `id` by default. Any type. It is never shown, and checked when it comes from a request. */
  id?: string
  /** Only rows with one of these: `{ move_type: ['out_invoice'] }`. */
  only?: Record<string, Values>
  /** No row with one of these. */
  except?: Record<string, Values>
  /** Deleted, archived or left: a column that is true or not empty then; or `{ column: 'active', when: false }`. */
  deleted?: string | { column: string; when: boolean }
}

/** The companies that use the CRM, each with a portal of its own: a table of them, or the one that there is. */
export type WorkspacesMap = (Rows & WorkspaceTexts) | { only: OneWorkspace }

export interface WorkspaceTexts {
  /** As in the address, `/portal/:workspace`: a column, or made of a name. */
  slug: string | { madeOf: string }
  name: Text
  /** As on paper: legal name, lines of the address, VAT number. */
  letterhead?: Text[]
  /** `#rrggbb`; anything else is as if there were none. */
  colour?: Text
  /** IANA name; UTC where it is none. */
  timeZone?: Text
  /** SVG as text, or SVG or PNG as bytes, of at most 200 KB. */
  logo?: string
  /** Where clients transfer to. */
  account?: { holder: Text; bank?: Text; iban?: Text; number?: Text; code?: Text; bic?: Text }
}

export interface OneWorkspace {
  id: string
  slug: string
  name: string
  letterhead?: string[]
  colour?: string
  timeZone?: string
  account?: { holder: string; bank?: string; iban?: string; number?: string; code?: string; bic?: string }
}

interface ClientsMap extends Rows {
  /**
   * Whose client it is: a column or path that leads to the workspace's key. Left out, every workspace has all of them.
   */
  workspace?: string
  name: Text
  /** As on paper: legal name, lines of the address. */
  address?: Text[]
  /** Of the CRM's people who looks after it: mails about its documents go there, and an invitation names them. */
  manager?: { name: Text; email: Text }
}

interface ContactsMap extends Rows {
  /** Whose: a column or path that leads to the client's key. */
  client: string
  name: Text
  email: string
  /** `en`, `es-MX`, `de_AT`. */
  language?: Text
  phone?: Text
  /**
   * How what people change of their own data comes into the CRM. Left out, or for what is not named in it, the portal
   * keeps it and shows staff that it differs.
   */
  change?: ContactChangeMap
}

/** Columns of the contacts' own table; or calls of the CRM's own API; or a function of yours. */
type ContactChangeMap =
  | { set: Partial<Record<ContactField, string>> }
  /** Takes the fields that have a gap in it: `{name}`, `{email}`, `{phone}`; `{id}` and `{client}` say of whom. */
  | { call: Call | Call[] }
  | { run(of: ContactOf, change: ContactChange): Promise<ContactField[]> }

/** Records that belong to one client of one workspace. */
export interface Owned extends Rows {
  /** A column or path that leads to the client's key: `'client_id'`, `'project_id > projects.client_id'`. */
  client: string
  /** The same for the workspace's key. Left out, the client's workspace is its. */
  workspace?: string
}

/** Money: columns of any numeric type. */
export interface Amounts {
  /** Three letters, as ISO 4217 has them: a column, a path, or `{ value: 'EUR' }`. */
  currency: Text
  /** Amounts are whole numbers of the currency's smallest unit: 1200 is 12.00 euros. */
  inCents?: boolean
}

interface Status<Word extends string> {
  /** A column or a path of keys. */
  column: string
  /**
   * What each value means. A value that is not here is shown to the client as it stands, and nothing can be done with
   * it.
   */
  words: Record<string, Word>
  /** Values of what the client must not see yet. */
  draft?: string[]
}

/** Lines of a document. */
export interface LinesMap extends Rows {
  /** Of the line: leads to the document's key. */
  of: string
  /** A column, or several. */
  order: string | string[]
  title: Text
  details?: Text
  group?: Text
  /** Lines that are only the heading of those that follow: `{ display_type: ['line_section'] }`. */
  headings?: Record<string, Values>
  quantity?: string
  unit?: Text
  /** Of one. */
  price?: string
  /** In per cent, already taken off `total`. */
  discount?: string
  /** In per cent. Left out, the taxes are told in one sum. */
  tax?: string
  /** Net. */
  total: string
  /** True for what the client may choose, and whether it is chosen. */
  optional?: string
  chosen?: string
}

/**
 * The CRM's own PDF of a document. Where there is none (the column is empty, the file is not there, the function gives
 * nothing) Portico makes one. What is no PDF, or has more than 25 MB, is never given out.
 * - `{ under, path }`: a file below this folder, by its path in the row; no `..`, no symbolic link, nothing absolute;
 * - `{ at, hosts }`: fetched by its address in the row, from these hosts alone;
 * - `{ bytes }`: a `bytea` column;
 * - `{ read }`: a function of yours.
 * With `table` and `of` the row is one of another table that points at the document, the newest where there are several.
 */
export type FileMap =
  | (FileRow & { under: string; path: Text })
  | (FileRow & { at: Text; hosts: FileHost[]; headers?: Record<string, string> })
  | (FileRow & { bytes: string })
  | { read(document: { id: string; client: string; workspace: string }): Promise<Uint8Array | undefined> }

type FileRow = Rows & {
  /** Of the other table: leads to the document's key. */
  of?: string
}

/** Files that belong to a document, rows of another table: where their bytes are is said as in `FileMap`. */
export type AttachmentsMap = Rows & {
  /** Leads to the document's key. */
  of: string
  name: Text
  /** Media type. */
  type?: Text
  /** In bytes. */
  size?: string
} & (
    | { under: string; path: Text }
    | { at: Text; hosts: FileHost[]; headers?: Record<string, string> }
    | { bytes: string }
  )

/**
 * Files that the company shares with its clients: `only` says which rows clients may see. Where their bytes are is said as
 * in `FileMap`; those under a folder may have any size. Leave out what belongs to a proposal, quotation or invoice: it has
 * its place there.
 */
export type DocumentsMap = Owned & {
  /** With its extension. */
  name: Text
  /** A name, or a path: `Contracts/2026`. */
  folder?: Text
  /** Media type. */
  type?: Text
  /** In bytes. */
  size: string
  /** A date, or a timestamp with or without zone. Those without one are not shown. */
  sharedOn: string
  /** When the row was last changed, if there is an index on it. */
  changedOn?: string
  /** Of the CRM's people. */
  by?: Text
  /** The last day on which clients see it. */
  expiresOn?: string
} & (
    | { under: string; path: Text /** Of rows without a file: their text, given out as one. */; text?: Text }
    | { at: Text; hosts: FileHost[]; headers?: Record<string, string> }
    | { bytes: string }
  )

/** What a column of a task is set to: `state` is the value of the status column for the state that it gets. */
export type TaskValue = 'state' | 'time' | 'date' | 'name' | { value: string | number | boolean | null }

/**
 * Tasks for clients: `only` says which rows are theirs to do. Those of the company's own people are left out: whoever sees
 * a task here is asked to do it.
 */
export type TasksMap = Owned & {
  title: Text
  /** When the row was last changed, if there is an index on it. */
  changedOn?: string
  text?: Text
  /** The project, or another heading. */
  project?: Text
  /** Of the CRM's people. */
  askedBy?: Text
  /** A date, or a timestamp with or without zone. */
  dueOn?: string
  doneOn?: string
  /** A task whose status is not here is shown, and nothing is offered. */
  status: Status<'open' | 'doing' | 'done'>
  /** The e-mail address of the person whose task it is, and their name; without one it is for anybody at the client. */
  person?: { email: Text; name: Text }
  /** How often it comes again. */
  repeats?: Text
  /** Its checklist, which is shown; `of` leads to the task. */
  items?: Rows & { of: string; order: string; title: Text; done: string }
  /** What clients can do, each by the columns that it sets. Left out, or with `off`, tasks are only shown. */
  changes?: {
    done?: Record<string, TaskValue>
    undone?: Record<string, TaskValue>
    moved?: Record<string, TaskValue>
    off?: boolean
  }
}

/** What must hold of documents on real rows: see docs/map.md. */
export const sumRules = ['lines', 'tax', 'total', 'payments', 'due', 'dates', 'currency'] as const

/**
 * Rules that do not hold for documents of this CRM, each with the reason: `{ lines: 'rounded per document' }`. A map that
 * breaks one without it is refused by `portico enable`.
 */
export type Exceptions = Partial<Record<(typeof sumRules)[number], string>>

/** What proposals, quotations and invoices have in common. Dates may be dates, or timestamps with or without zone. */
interface DocumentMap extends Owned, Amounts {
  number: Text
  /** The number, if not given. */
  title?: Text
  /** One without this date was not sent yet, and is not shown. */
  sentOn: string
  /** When the row was last changed, if there is an index on it: people are told of what is new within a minute. */
  changedOn?: string
  /** Net, with tax, and what is taken off the lines in per cent. */
  net?: string
  total: string
  discount?: string
  /** To whom at the client. */
  contact?: Text
  lines?: LinesMap
  file?: FileMap
  exceptions?: Exceptions
}

/** A document that clients accept or decline. */
export interface RespondableMap extends DocumentMap {
  /** How an answer comes into the CRM. Left out, or `off`, clients can only read. */
  responses?: ResponsesMap
}

export interface OffersMap extends RespondableMap {
  status: Status<'open' | 'accepted' | 'declined' | 'withdrawn' | 'expired'>
  /** An open one is expired after this date. */
  validUntil?: string
  version?: string
  /** All that points at the document: `only` says which of it are for clients. */
  attachments?: AttachmentsMap
  intro?: Text
  terms?: Text
  /** Of the CRM's people. */
  owner?: Text
  /** The owner's e-mail address: mails about the document go there. */
  ownerEmail?: Text
  respondedOn?: string
  respondedBy?: Text
  responseNote?: Text
  downPayment?: DownPaymentMap
}

/** What is to be paid on acceptance: in per cent of the total, as a fraction of it (0.3), or an amount. */
export type DownPaymentMap = ({ percent: string } | { fraction: string } | { amount: string }) & {
  /** Only of documents with one of these, such as those that ask for it and are not invoiced yet. */
  only?: Record<string, Values>
}

interface ResponsesMap {
  /** As drafts have it: first look at what else in the CRM sets this status, since its own code is passed by. */
  off?: boolean
  accepted: ResponseMap
  declined?: ResponseMap
  /**
   * Whether what is optional may be chosen: `chosen`, `quantity` and `total` of the lines are set, and the sums here.
   */
  selection?: boolean
  /** With `selection`: whether lines that are no option may be left out. `optional` of those lines is set too. */
  parts?: boolean
}

/** Columns of the document's own table; or calls of the CRM's own API; or a function of yours. */
export type ResponseMap =
  | { set: Record<string, ResponseValue> }
  | { call: Call | Call[] }
  /** Told again until it resolves: it must take the same `answer.key` twice. Throw Conflict where it is too late. */
  | { run(id: string, answer: ClientResponse): Promise<unknown> }

/**
 * What a column is set to: when, by whom, in what words; sums, where something else was chosen; or a value of your own.
 * `note` is reason, order number and wished date in one text.
 */
export type ResponseValue =
  | ('time' | 'date' | 'name' | 'email' | 'contact' | 'reason' | 'order number' | 'wished on' | 'note')
  | ('net' | 'tax' | 'total')
  | { value: string | number | boolean | null }

/**
 * Texts may hold `{id}`, `{key}`, `{name}`, `{email}`, `{time}`, `{utc}`, `{reason}`, `{order number}`, `{wished on}`, `{note}`
 * and, of the environment, `{env NAME}`. One of 404, 409, 410, 412 and 422 means that it is too late; any other failure is tried again.
 */
export interface Call {
  method?: 'POST' | 'PUT' | 'PATCH'
  url: string
  headers?: Record<string, string>
  body?: unknown
  /** Name of the header by which the CRM knows a call that it had before; `Idempotency-Key` if not given. */
  key?: string
  /** Whether `'{id}'` alone is sent as a number; so are `'{answer}'`, `'{method id}'` and `'{env NAME}'`. */
  numericIds?: boolean
  /** Whether `'{amount}'` and `'{cents}'` alone are sent as numbers. */
  numericAmounts?: boolean
  /** `html`: what people wrote is escaped, for a CRM that shows these texts as HTML. */
  escape?: 'html'
  conflicts?: number[]
  /**
   * An address that `doctor` gets with these headers, to see whether the CRM takes the key: one that only reads. Left
   * out, it gets the beginning of `url` before its first gap or last word.
   */
  check?: string
}

export interface InvoicesMap extends DocumentMap {
  /** An open one with nothing left to pay is paid. Left out, the balance alone decides. */
  status?: Status<'open' | 'paid' | 'cancelled'>
  /** Defaults to the date of the invoice. */
  dueOn?: string
  /**
   * What is left to pay: a column; or the total less these columns; or less the payments and credit notes that are
   * mapped.
   */
  balance?: string | { less: string[] } | 'payments'
  orderNumber?: Text
  remarks?: Text
  remindedOn?: string
  /** What a transfer should state; the number, if not given. */
  reference?: Text
  /** When the CRM closed it: a remainder that was written off stands on the statement under this date. */
  closedOn?: string
  /**
   * Documents whose lines tell all that was done so far, and whose total only what was added: `{ type: [5] }`. What was
   * invoiced before is told in between.
   */
  cumulative?: Record<string, Values>
  creditNotes?: CreditNotesMap
  credit?: CreditMap
}

/** Credit that a client can still use for an invoice, a row for each. It is shown, and not taken off what is due. */
export interface CreditMap extends Owned, Amounts {
  amount: string
}

export interface CreditNotesMap extends Rows {
  /** Leads to the invoice's key. */
  invoice: string
  number: Text
  on: string
  reason?: Text
  /** What was taken off this invoice. */
  total: string
}

export interface PaymentsMap extends Owned, Amounts {
  on: string
  /** A column; or `parts`: what it paid of this client's invoices, where one payment may be of several clients. */
  amount: string | 'parts'
  /** The CRM's words to Portico's; any other is `other`. */
  method?: { column: string; words: Record<string, Method> }
  reference?: Text
  payer?: Text
  /** What it pays: a column that leads to the invoice's key, or a table between the two, with the part for each. */
  invoice?: string | (Rows & { payment: string; invoice: string; amount: string })
  /** How one that arrived in the portal comes into the CRM. Left out, or `off`, staff enter it themselves. */
  record?: RecordMap
}

/**
 * By the CRM's own API: rows are never written, since its own code (books, bank, status of the invoice) would be passed
 * by. Invoices are read first, and only what fits what is open of them is sent.
 */
export interface RecordMap {
  off?: boolean
  /** Column of the payment that `{key}` ends up in: a payment that has it is never sent again. */
  key: string
  /** The CRM's words for how it was paid, as `method.column` has them; ours if not given. */
  methods?: Record<ReceivedPayment['method'], string>
  /**
   * Several are made in turn. With `{shares}` in a body they are made once for all invoices of a payment, and otherwise
   * for each, whose `{key}` then ends in the invoice's id. One of `conflicts` (400, 409, 410, 412 and 422 if not given)
   * means that the CRM refuses the payment, and staff read why; any other failure is tried again.
   *
   * Texts may hold `{id}` and `{number}` of the invoice, `{key}`, `{amount}` (a decimal in the major unit), `{cents}` (a
   * whole number of the smallest one), `{currency}`, `{currency id}`, `{on}`, `{method}`, `{method id}` (the keys that the
   * paths of `currency` and `method.column` lead to), `{reference}` (the provider's), `{payer}`, `{env NAME}`, and
   * `{answer}`: the id that the call before gave.
   */
  call: Call | Call[]
  /** What `{shares}` stands for: entries of an object, or of a list, for each invoice. */
  share?(invoice: ReceivedPayment['shares'][number]): Record<string, unknown> | unknown[]
}

type Method = 'bank transfer' | 'card' | 'direct debit' | 'ideal' | 'cash' | 'cheque' | 'other'

/**
 * Passwords that clients have in the CRM already: bcrypt, Argon2 and PBKDF2 as Django writes it. They are compared in
 * place and never copied.
 */
export interface IdentityMap extends Rows {
  workspace?: string
  email: string
  password: string
}

/** Staff of the CRM who sign in to `portico serve`, by their e-mail address and password in the CRM. */
export interface StaffMap extends Rows {
  /** Leads to the workspace's key. */
  workspace?: string
  name: Text
  email: string
  password: string
  /** True for workspace admins. */
  admin: string
}

/** Says where a CRM keeps what. Columns that are not named here are never selected. */
export interface CrmMap extends Portico.MapEntries {
  /** Time zone of timestamps without one: an IANA name, UTC if not given. */
  timestamps?: string
  workspaces: WorkspacesMap
  clients: ClientsMap
  contacts: ContactsMap
  proposals?: OffersMap
  quotations?: OffersMap
  invoices?: InvoicesMap
  payments?: PaymentsMap
  documents?: DocumentsMap
  tasks?: TasksMap
  identity?: IdentityMap
  staff?: StaffMap
  /** Where records have their pages in the CRM: `{ base: '{env CRM_URL}', proposals: '/proposals/{id}' }`. */
  pages?: PagePatterns
}

/** Returns the map unchanged. Gives editors the types to complete. */
export const defineMap = (map: CrmMap): CrmMap => map
