import type { Request } from 'express'
import type { Knex } from 'knex'
import type { FindChanges } from './changes.ts'
import type { CrmPages } from './pages.ts'

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

/** A company that uses the CRM and invites its clients. `id` is opaque text; `timeZone` is an IANA name. */
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

/** A company or person that the workspace works for. `id` is the CRM's own, as text. */
export interface Client {
  id: string
  name: string
  /** As on documents: legal name, lines of the address. */
  address: string[]
}

/** A person whom the CRM knows at a client. `language` is a BCP 47 tag. */
export interface Contact {
  id: string
  name: string
  email: string
  language?: string
  /** Left out where the CRM does not say. */
  phone?: string
}

/** What people can change of their own contact data. */
export const contactFields = ['name', 'email', 'phone'] as const
export type ContactField = (typeof contactFields)[number]

/** What the person behind a contact has changed. What is left out stays as it is; an empty phone is none. */
export type ContactChange = Partial<Record<ContactField, string>>

/** A person with a portal account. */
export interface Person {
  id: string
  name: string
  email: string
  /** As they gave it in the portal. */
  phone?: string | null
  /** The version of their photo, if they have one. */
  photo?: string | null
  language?: string
  timeZone?: string
  /** As the system has it, if not given. */
  theme?: 'light' | 'dark'
}

/**
 * Whom a port answers: one person, acting for one client of one workspace in one role. `today` is the workspace's
 * date.
 */
export interface Customer {
  workspace: Workspace
  client: { id: string; name: string }
  person: Person
  role: Role
  /** The plain date it is at the workspace. */
  today: string
}

export const roles = ['admin', 'approver', 'billing', 'member', 'viewer'] as const
/** The role of a person at a client. */
export type Role = (typeof roles)[number]

/** What one customer can ask of the CRM, by section. Each plugin adds its port by declaration merging. */
export type Ports = Portico.Ports

/** Look-ups that happen before somebody is signed in, or that concern no single customer. */
export interface Directory {
  workspace(slug: string): Promise<Workspace | undefined>
  client(workspace: Workspace, id: string): Promise<Client | undefined>
  /** Which of these contacts still exist, with their client. Without it, `contacts` is used. */
  stillThere?(workspace: Workspace, contactIds: string[]): Promise<string[]>
  /** Clients whose name or number contains these words, at most 20. For invitations. */
  clients?(workspace: Workspace, search: string): Promise<Client[]>
  /**
   * Ids of clients with a proposal, quotation or invoice whose number or title contains these words, at most 10. The portal then
   * asks each client's own port. Without it, staff find documents by their client alone.
   */
  clientsOfDocuments?(workspace: Workspace, search: string): Promise<string[]>
  /** The workspace's logo: SVG or PNG, at most 200 KB. It is sanitised before it is shown. */
  logo?(workspace: Workspace): Promise<Uint8Array | undefined>
  /** People of this client who can be invited: they have an e-mail address and have not left. */
  contacts(workspace: Workspace, clientId: string): Promise<Contact[]>
  /**
   * Writes what people changed of their own data into their contact, and returns the fields that were written; those of
   * a contact of another client are none. It may be called again with the same values. What it leaves out, or all of it
   * if it throws, is kept by the portal and shown to staff. Left out: the portal changes no contact.
   */
  changeContact?(workspace: Workspace, of: ContactOf, change: ContactChange): Promise<ContactField[]>
  /**
   * Who of the CRM's people looks after this record, or else after its client: mails about it go to them. Undefined
   * where there is nobody with an e-mail address.
   */
  owner?(workspace: Workspace, record: OwnedRecord): Promise<Colleague | undefined>
  /** The CRM's people who administer this workspace and have an e-mail address. */
  admins?(workspace: Workspace): Promise<Colleague[]>
}

/** A record of a client: `section` is the name of its plugin, ids are the CRM's own. */
export interface OwnedRecord {
  section: string
  id: string
  client: string
}

/** A contact, by its id and its client's. */
export interface ContactOf {
  client: string
  contact: string
}

/** Something that a client did, for the CRM's own people. */
interface StaffNotice {
  /** The same for the same event. */
  key: string
  /** Such as `accepted`, `questions` or `uploads`. */
  kind: string
  /** Whom it concerns. */
  to: Colleague[]
  /** One sentence, in the language of mails to staff. */
  title: string
  text: string
  /** Where they see it. */
  url: string
  /** What it is about, if it is about one record. */
  record?: OwnedRecord
}

/** One of the CRM's own people, as mails address them. */
export interface Colleague {
  name: string
  email: string
}

/** The adapter of a CRM: what its author writes, or what `adapterOf` makes of a map. */
export interface Crm {
  directory: Directory
  /** Ports that reach this customer's records only, within `tx` if given. A missing port: the CRM has no such thing. */
  connect(customer: Customer, tx?: Knex.Transaction): Partial<Ports>
  /**
   * What each section, and the directory, ever selects of the CRM: for the role's grants, and to notice when it
   * changes.
   */
  reads?: Reads
  /** What each section changes of the CRM when a client answers or pays, and nothing else is ever changed. */
  writes?: Record<string, Columns>
  /** Of rows that each section adds to the CRM, such as payments, the columns that it sets. */
  adds?: Record<string, Columns>
  /** Where the tables of `reads` are, if not in the portal's own database. */
  database?: Knex
  /** Told when something of `reads` changed in the database. */
  refresh?(): void
  /** Passwords that clients have in the CRM already. They are compared there, and never copied. */
  identity?: Identity
  /** Where records have their pages in the CRM, for links of its staff. */
  pages?: CrmPages
  /**
   * Which records the CRM made or changed, by section. Without it, each client's newest records are looked at now and
   * then.
   */
  changes?: Record<string, FindChanges>
  /**
   * Tells the CRM's own people of what a client did, in the CRM: beside the mails to them. It may be called again with the
   * same `key`; whatever it throws is tried again for a day.
   */
  notify?(workspace: Workspace, notice: StaffNotice): Promise<void>
}

/** Tables, as `invoices` or `billing.invoices`, with their columns. */
export type Columns = Record<string, string[]>

/**
 * The tables and columns that an adapter reads, by section; `directory` for what every section needs. Used for
 * grants and drift detection.
 */
export type Reads = { directory: Columns } & Record<string, Columns>

/** Verifies passwords that clients already have in the CRM. They are never copied. */
export interface Identity {
  /** Undefined if the address and password do not match anybody in this workspace. */
  verify(workspace: Workspace, email: string, password: string): Promise<{ id: string; name: string } | undefined>
}

/** The member of staff who sends the request; undefined for everybody else. */
export type StaffOf = (req: Request) => Promise<Staff | undefined> | Staff | undefined

/** One of the CRM's own people, as `staff(req)` reports them. */
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
