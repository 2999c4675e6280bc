import type { Request, RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import type { PayeeDetails } from '../crm/payee.ts'
import type { FileKind } from '../files/kinds.ts'
import type { RequestContext } from '../http/context.ts'
import type { Scope } from '../platform/database.ts'
import type { Money } from '../platform/money.ts'
import type { SubjectRecord } from './subjects.ts'

declare global {
  namespace Portico {
    /**
     * What plugins do for one another, by name. Any of them may be missing, since any plugin may be: ask for it with
     * `capability(name)?`. A plugin of your own adds its key by declaration merging.
     */
    interface Capabilities {
      bankDetails: BankDetails
      changes: CrmChanges
      comments: Comments
      fileLimits: FileLimits
      /** Phones can install the portal as an app. */
      homeScreen: true
      links: Links
      mailReplies: MailReplies
      messages: Conversations
      paying: Paying
      privacy: PersonalData
      staffMails: StaffMails
    }

    interface RequestContext {
      /** What another plugin does for this one, if it is installed. */
      capability: CapabilityOf
    }
  }
}

/** Functions that plugins offer to one another. Add yours by declaration merging. */
export type Capabilities = Portico.Capabilities

/** Returns what another plugin offers, or undefined where that plugin is not installed. */
export type CapabilityOf = <Name extends keyof Capabilities>(name: Name) => Capabilities[Name] | undefined

/** Where clients pay to, as the workspace has set it. */
interface BankDetails {
  /** Undefined where it has set none: then what the CRM names holds. `since` is when it began to hold. */
  current(workspace: string): Promise<(PayeeDetails & { since: Date }) | undefined>
}

/** What the CRM says of itself. */
interface CrmChanges {
  /** People are told what is new about this record, soon. Throws a TypeError for a section without such news. */
  tell(of: CrmRecord): Promise<void>
}

/** A record of the CRM that was made or changed. */
export interface CrmRecord {
  /** The workspace's slug. */
  workspace: string
  /** Such as `invoices`. */
  section: string
  /** Of the client that it belongs to. */
  client: string
  id: string
}

/** Conversations about a subject, between a client and the company. */
interface Comments {
  /**
   * Adds `POST /:id/comments` to the router of a subject, and `GET /:id/comments/files/:file/content` for the files that
   * were attached. Comments appear on its page, at `#talk`; staff answer them in the settings.
   */
  routes(router: Router, thread: Thread): void
  /** What somebody said, by the id in `subject.comment` of its event; undefined where it is there no more. */
  find(workspace: string, id: string): Promise<Remark | undefined>
  /** Which documents this client disputes, and staff have not answered since: `invoices/12`. */
  disputed(scope: Required<Scope>): Promise<ReadonlySet<string>>
}

/** A comment of a client. */
interface Remark {
  text: string
  /** Title of the line that it is about. */
  line: string | null
  /** Whether they dispute it. */
  disputed: boolean
  /** Names of the files that they attached. */
  files: string[]
  /** Names of the person and of their company. */
  by: string
  client: string
}

/** What clients may keep in the file store: of one file and of all files of one client, in bytes, and of which kinds. */
interface FileLimits {
  of(workspace: string): Promise<{ size: number; space: number; kinds: readonly FileKind[] }>
}

/** About a subject: `<kind>.comment` is the permission, and `<kind>.questions` the toggle of it. */
export interface Thread {
  /** The name of its plugin. */
  kind: string
  /** Of the request's `:id`. Throws NotFound. */
  subject(req: Request<any>): Promise<SubjectRecord>
  /** Whether clients may dispute it: then it has the event `<kind>.disputed`. Its page says so to the slot, too. */
  disputable?: boolean
  /** Shows the page of the subject again, with what was refused. */
  show: RequestHandler<any>
  /** Where to go afterwards: an address with a query, without `#talk`. */
  back(req: Request<any>): string | Promise<string>
}

/** Public links to one subject, which need no account. */
interface Links {
  /** Where staff make a link to this one, below their settings; undefined where links to it are switched off. */
  page(of: { workspace: string; client: string; kind: string; id: string }): Promise<string | undefined>
}

/** Replies by mail. */
interface MailReplies {
  /**
   * The address that a reader's reply to a mail about this record goes to, in a transaction of the workspace; undefined
   * where no replies are received.
   */
  addressFor(tx: Knex, of: RepliedRecord): Promise<string | undefined>
}

/** A record that a mail is about, and the mail's reader. */
interface RepliedRecord {
  workspace: string
  client: string
  /** The name of its plugin. */
  kind: string
  id: string
  by: { kind: 'client' | 'staff'; id: string; name: string; email: string }
}

/** Conversations with clients. */
interface Conversations {
  /**
   * What waits for an answer of staff, by the id in `subject.message` of its event; undefined where it was answered or read,
   * or a later message tells of it too.
   */
  waiting(workspace: string, id: string): Promise<WaitingMessage | undefined>
}

interface WaitingMessage {
  thread: string
  title: string
  /** Names of the person and of their company. */
  by: string
  client: string
  /** All that the client wrote since somebody answered. */
  text: string
  files: string[]
  count: number
}

/** Payments that clients make in the portal. */
interface Paying {
  /** The plugin that takes them, and the permissions that a person needs to pay, without the plugin's name. */
  section: string
  may: readonly string[]
  /** Reads what is on its way from a client. Gives what that leaves of each of its documents. */
  underWay(of: { workspace: string; client: string }): Promise<(it: Owed) => Remainder>
  /** The page where these documents are paid, as a path below the workspace's address. */
  page(client: string, documents: Pick<Owed, 'section' | 'id'>[]): string
  /** How down payments stand by what was paid for them here, and where this person can pay them. `balance` is all of one. */
  downPayments(context: RequestContext, of: Owed[]): Promise<DownPaymentStanding[]>
}

/** How a down payment stands. */
export interface DownPaymentStanding {
  /** What is left when all that is on its way has arrived; never less than zero. */
  left: Money
  /** What arrived and did not go back, and what a bank is working on. */
  paid: Money
  processing: Money
  /** Who is paying it right now; visitors by a public link are not told. */
  payer: string | null
  /** Where it is paid; undefined where this person cannot, or nothing is left. */
  page: string | undefined
}

/** A document with something left to pay. */
interface Owed {
  /** The name of its plugin. */
  section: string
  id: string
  balance: Money
}

interface Remainder {
  /** What is left when all that is on its way has arrived, announced transfers too; never less than zero. */
  left: Money
  /** Whether somebody is paying it online right now. */
  beingPaid: boolean
}

/** Copies of their own data, which people download. */
interface PersonalData {
  /** Deletes the copies that these people have of a client's data, in a transaction that has entered the workspace. */
  deleteCopies(tx: Knex, of: { workspace: string; client: string; people: string[] }): Promise<void>
}

/** How staff are mailed. */
interface StaffMails {
  /** The language that the workspace chose for mails to its staff; undefined where it has chosen none. */
  language(workspace: string): Promise<string | undefined>
}
