import type { Ports } from '../crm/crm.ts'
import type { PayeeAccount } from '../crm/payee.ts'
import type { Page } from '../http/paging.ts'
import type { Speech } from '../platform/i18n.ts'
import type { Money } from '../platform/money.ts'

/** A kind of record that other plugins can attach to: comments, links, reminders, signatures. */
export interface Subject {
  /** What one of them is called: `Ticket`. */
  label: string
  /** Finds a record of this customer. Throws NotFound, also for another client's. */
  find(ports: Partial<Ports>, id: string, speech: Speech): Promise<SubjectRecord>
  /** The view of one record, such as `tickets/show`. Its API response includes attachments of other plugins. */
  page: `${string}/${string}`
  /** What is to be had by a public link to one of them. None can be made where this is missing. */
  link?: Linkable
  /** Those that wait for an answer until a day. Nobody is reminded where this is missing. */
  expiring?: Expiring
  /** What is to be paid for them. Nothing can be paid, and nobody is reminded of it, where this is missing. */
  payable?: Payable
  /** What people have to do by a day. Nobody is reminded of it, and no calendar shows it, where this is missing. */
  due?: Due
  /** What people are told of one that the CRM made or changed. Nobody is told where this is missing. */
  changed?: Changed
}

/** One record of a subject, with what others show of it. */
export interface SubjectRecord {
  id: string
  /** What people call it: its number, or a short title. */
  number: string
  title: string
  /** Titles of its parts, such as lines, in order. Comments can be about one part. */
  parts?: string[]
  /** What the parts are called where several have the same title, each name once; the titles if not given. */
  names?: string[]
}

/** What a public link to one record gives access to, without an account. */
export interface Linkable {
  /** The toggle that lets staff make links, and links lead anywhere. */
  toggle: string
  /** Its routes, all of them below `/:id`. Others are not there for a link. */
  opens: readonly string[]
  /** Permissions of a visitor with the link. */
  may: readonly string[]
  /** Toggles that are off for a link. */
  without: readonly string[]
  /**
   * The same where no code can be mailed, or where the workspace asks for more than a code before one of its actions.
   */
  withoutCode: readonly string[]
}

/** How those that wait for an answer are found, with the ports of one customer. */
export interface Expiring {
  /** Permissions and toggles that a person needs to be reminded, without the plugin's name. */
  may: readonly string[]
  on: readonly string[]
  /** Whether they can be answered here at all. */
  answerable(ports: Partial<Ports>): boolean
  /** The first to expire first. */
  list(ports: Partial<Ports>, asked: { size: number; after?: string }): Promise<Page<ExpiringDocument>>
  /** As it is now; undefined where it does not wait any more. Throws NotFound. */
  find(ports: Partial<Ports>, id: string): Promise<PendingDocument | undefined>
}

export interface ExpiringDocument {
  id: string
  /** Plain dates. */
  sentOn: string
  validUntil: string | null
}

/** One that waits, in the words of the mail about it. */
export interface PendingDocument {
  id: string
  number: string
  title: string
  version: number
  total: Money
  validUntil: string | null
}

/** How what is to be paid is found, with the ports of one customer. */
export interface Payable {
  /** Permissions that a person needs beside that of paying, without the plugin's name. */
  may: readonly string[]
  /**
   * Whether these are down payments: the CRM's balance leaves out what was paid for them here, so that all that arrived
   * is taken off. They are paid apart from others, and nobody is reminded of them.
   */
  downPayments?: true
  /** Those with something left to pay, the first due first. */
  list(ports: Partial<Ports>, asked: { size: number; after?: string }): Promise<Page<PayableDocument>>
  /** As it is now, also where nothing is left. Throws NotFound, also for another client's. */
  find(ports: Partial<Ports>, id: string): Promise<PayableDocument>
}

export interface PayableDocument {
  id: string
  number: string
  title: string
  total: Money
  /** What is left to pay. Nothing can be paid where it is zero or less. */
  balance: Money
  /** Plain dates. Where it is known when it was sent, nobody is reminded of what was to come before that. */
  sentOn?: string
  dueOn: string | null
  /** Whether that has passed, at the workspace. */
  overdue: boolean
  /** Where to transfer it; lists leave it out, and it is null where the CRM names none. */
  account?: PayeeAccount | null
}

/** What is new about a record for one person, as it is now. */
export interface Changed {
  /** Permissions that a person needs to be told, without the plugin's name. */
  may: readonly string[]
  /**
   * With that person's ports; throws NotFound where they may not see it. What became so before the plain date `since` is
   * old, and not given, where the record says when that was.
   */
  news(ports: Partial<Ports>, id: string, since: string): Promise<RecordNews[]>
  /** Whether nothing in a record says since when it is so: what is there when a client is first looked at is old then. */
  undated?: true
  /** Ids of the newest ones, for CRMs that do not say what changed. */
  newest(ports: Partial<Ports>, size: number): Promise<string[]>
}

/** Something new: each person is told once of its kind and key. */
export interface RecordNews {
  /** One of the notifications that the plugin declares. */
  kind: string
  key: string
  facts: NewsFacts
  /** Only those who were told of this before are told. */
  after?: { kind: string; key: string }
}

type NewsFacts = Record<string, string | number | Money | { day: string }>

/** How what a person has to do is found, with the ports of that person. */
export interface Due {
  /** Permissions and toggles that a person needs to do it, without the plugin's name. */
  may: readonly string[]
  on: readonly string[]
  /** What is still to be done, for this person or for anybody at the client; those with a day only, the first due first. */
  list(ports: Partial<Ports>, asked: { size: number; after?: string }): Promise<Page<DueRecord>>
}

export interface DueRecord {
  id: string
  title: string
  /** A plain date. */
  dueOn: string
  /** How many of its parts are still to be done, where it has parts. */
  left?: number
  /** Whether this person alone can see it: the activity log, which others read, does not name it then. */
  personal?: boolean
}
