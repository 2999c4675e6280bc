import type { Knex } from 'knex'

declare global {
  namespace Portico {
    /** Each plugin adds its port here by declaration merging. */
    interface Ports {}

    interface RequestContext {
      staff: Staff | undefined
      /** From here on only where a client's person is known, which is everywhere behind a permission. */
      customer: Customer
      crm: Ports
    }
  }
}

/** Ids are opaque text: what they look like is the CRM's own business. */
export interface Workspace {
  id: string
  /** As in the address: `/portal/:workspace`. */
  slug: string
  name: string
  /** As on documents: legal name, lines of the address, VAT number. */
  letterhead: string[]
  /** `#rrggbb`; the portal works out readable tones of it. */
  colour?: string
  /** IANA name. What is "today" and "overdue" is judged here. */
  timeZone: string
}

export interface Client {
  id: string
  name: string
  /** As on documents: legal name, lines of the address. */
  address: string[]
}

export interface Contact {
  id: string
  name: string
  email: string
  language?: string
}

export interface Person {
  id: string
  name: string
  email: string
  language?: string
  timeZone?: string
  /** As the system has it, if not given. */
  theme?: 'light' | 'dark'
}

/** Who asks: one person, on behalf of one client of one workspace, in one role. */
export interface Customer {
  workspace: Workspace
  client: { id: string; name: string }
  person: Person
  role: Role
  /** The plain date it is at the workspace. */
  today: string
}

export const roles = ['admin', 'approver', 'billing', 'member', 'viewer'] as const
export type Role = (typeof roles)[number]

/** What one customer can ask of a CRM. */
export type Ports = Portico.Ports

/** The few look-ups that happen before anybody is known, or beside them. */
export interface Directory {
  workspace(slug: string): Promise<Workspace | undefined>
  client(workspace: Workspace, id: string): Promise<Client | undefined>
  /** Those of these contacts who have not left, nor their client: `contacts` is asked where this is not given. */
  stillThere?(workspace: Workspace, contactIds: string[]): Promise<string[]>
  /** Those whose name or number has these words in it, 20 at most: for who wants to invite somebody of theirs. */
  clients?(workspace: Workspace, search: string): Promise<Client[]>
  /** An SVG or PNG of at most 200 KB, as the CRM has it on its own papers. Only the drawing of it is shown. */
  logo?(workspace: Workspace): Promise<Uint8Array | undefined>
  /** Those who may be invited: people of this client who have an e-mail address and have not left. */
  contacts(workspace: Workspace, clientId: string): Promise<Contact[]>
}

/** What an adapter's author writes. */
export interface Crm {
  directory: Directory
  /** Ports that reach this customer's records only, within `tx` if given. A missing port: the CRM has no such thing. */
  connect(customer: Customer, tx?: Knex.Transaction): Partial<Ports>
  /** What each section, and the directory, ever selects of the CRM: for the role's grants, and to notice when it changes. */
  reads?: Reads
  /** What each section writes of the CRM when a client answers, and nothing else is ever written. */
  writes?: Record<string, Columns>
  /** Where the tables of `reads` are, if not in the portal's own database. */
  database?: Knex
  /** Told when something of `reads` changed in the database. */
  refresh?(): void
  /** Passwords that clients have in the CRM already. They are compared there, and never copied. */
  identity?: Identity
}

/** Tables, `invoices` or `billing.invoices`, to columns. */
export type Columns = Record<string, string[]>

/** By section, and `directory` for the look-ups that all of them need. */
export type Reads = { directory: Columns } & Record<string, Columns>

export interface Identity {
  /** Undefined where the CRM knows nobody of this address in this workspace by this password. */
  verify(workspace: Workspace, email: string, password: string): Promise<{ id: string; name: string } | undefined>
}

/** Somebody of the CRM's own people, as `staff(req)` reports. */
export interface Staff {
  id: string
  name: string
  /** Slug of the workspace they are working in. */
  workspace: string
  /** Whether they administer it. */
  admin: boolean
  /** Where a form signs them out, where they did not sign in at the CRM. */
  signOut?: string
  /** Where they see and change how they sign in, in the same case. */
  account?: string
}
