import type { NextFunction, Request, Response, Router } from 'express'
import type { Knex } from 'knex'
import type { ZodObject, ZodType } from 'zod'
import type { Crm, Customer, Workspace } from '../crm/crm.ts'
import type { RequestContext } from '../http/context.ts'
import type { PolicyNeeds } from '../http/headers.ts'
import type { FileStore } from '../platform/files.ts'
import type { Log } from '../platform/log.ts'
import type { RepliesOptions } from '../platform/replies.ts'
import type { Capabilities, CapabilityOf } from './capabilities.ts'
import type { Home } from './dashboard.ts'
import type {
  Attached,
  EventSentence,
  MailReply,
  Permission,
  PluginAudit,
  PluginCommand,
  PluginOption,
  Privacy,
  Refusal,
  StepUp,
  Toggle,
  WebhookCall,
} from './parts.ts'
import type { Subject } from './subjects.ts'

declare global {
  namespace Portico {
    /** Each host adds by declaration merging what it takes from a plugin. */
    interface Plugin {}

    interface RequestContext {
      nav: Section[]
      may(permission: string): boolean
      /** All that this person may, here and now. */
      allowed(): string[]
      /** Whether a toggle is on for this person. */
      on(toggle: string): boolean
      /** Goes on where this action needs no recent verification, or has one; asks for one otherwise. */
      requireStepUp(action: string, res: Response, next: NextFunction): Promise<void> | void
    }
  }
}

/**
 * A plugin as its folder declares it. `name` is one word for all: folder, URL segment, port, permission, event and view.
 * What is not given is nothing: a section has `routes` and a port; a feature that belongs to no section has neither.
 */
export interface PluginDefinition<Name extends string = string> extends Portico.Plugin {
  name: Name
  title: string
  /** A name of Tabler's. */
  icon: string
  /** Sections are offered in this order. */
  order: number
  /** Whether the navigation leaves it out: pages of other plugins lead to it. */
  unlisted?: boolean
  permissions?: Record<`${Name}.${string}`, Permission>
  /** What a workspace may switch. The toggle of the section's own name switches the whole of it. */
  toggles?: Record<string, Toggle>
  /** The API's answer for each view: it validates, and it describes (OpenAPI). */
  responseSchemas?: Record<`${Name}/${string}`, ZodObject>
  /** Actions of it that a recent verification can be asked for: `stepUp` in their routes names them. */
  stepUps?: Record<`${Name}.${string}` | AccountName, StepUp>
  /** zod schemas of API queries and commands, by view. For OpenAPI. */
  requestSchemas?: Record<`${Name}/${string}`, ZodType>
  /** The view that answers a path which ends in another word, for the same. */
  views?: Record<string, string>
  /** What each event leaves. */
  activity?: Record<`${Name}.${string}` | AccountName, EventSentence>
  /** What this section puts on the first page. */
  home?(context: RequestContext): Promise<Home>
  /** How many of its records wait for this person, for the navigation. Count none that they may do nothing about. */
  waiting?(context: RequestContext, host: Pick<Host, 'plugins'>): Promise<number>
  /** What clients can do, at `/portal/:workspace/<name>`; each route names its rule right after its path. */
  routes?(router: Router, host: Host): void
  /**
   * What people may always see of what they did themselves, at the same addresses: also while the section is switched off
   * for them, or their role may not see it. Each route has the rule `anyMember`, and says `next('router')` for what is not
   * theirs.
   */
  kept?(router: Router, host: Host): void
  /** Where its views (`<view>.ejs`), translations (`<language>.json`) and `migrations/` lie: `import.meta.dirname`. */
  folder?: string
  /** Folders of views and translations that it shares with other plugins: used where its own has none of that name. */
  shared?: readonly string[]
  /** Sentences that are built in code, for translators and their tests. */
  sentences?: readonly string[]
  /**
   * The plugin's own store, for a CRM that lacks the port: bound to this customer, whose rows alone it can reach.
   * `database` is the portal's, or a transaction in the customer's workspace. Undefined where it cannot be offered.
   */
  store?(customer: Customer, database: Knex, parts: StoreParts): object | undefined
  /** What the plugin keeps beside the port of a CRM that has one: returns the two as one port. */
  beside?(port: object, customer: Customer, database: Knex, parts: StoreParts): object
  /** Its page in the workspace's settings. */
  settings?: SettingsPage
  /** What other plugins may attach to: its kind is the plugin's name. */
  subject?: Subject
  /** What it shows of every subject, whichever plugin's it is. */
  attached?: Attached
  /**
   * What it shows in pages of others, by the slot that those have: `{ subject: { view: 'comments/thread' } }`. The
   * portal's own have `account` and `account-end`, `sign-in` and `sign-in-code` where people ask for a code and enter it, `head` and `side` on each page of clients, and `state` in the settings.
   */
  slots?: Record<string, Slot>
  /** What a person sets up for themselves, without a port. */
  account?: AccountPages
  /** What is there for people without an account, at `/portal/:workspace/<path>`; each route names a rule. */
  public?: { path: string; routes(router: Router, host: Host): void }
  /** What it offers beside a document of another plugin that a public link opens. */
  linked?: LinkedPages
  /** What a workspace sets beyond toggles, by `<name>.<word>`: see `optionOf` and `saveOption`. */
  options?: Record<`${Name}.${string}`, PluginOption>
  /** What its pages load from elsewhere, beside its own `assets/`: `{ 'img-src': ['https://maps.example'] }`. */
  csp?: PolicyNeeds
  /**
   * Handles calls to `/portal/-/webhooks/<name>`, for example of a payment provider. Undefined leaves the call to the CRM:
   * its own 404, for a workspace that the portal is off for.
   */
  webhook?(call: WebhookCall, host: Host): Promise<{ status: number; body?: object } | undefined>
  /** How many bytes a call to it may have; a megabyte if not given. Of larger ones, few are read at once. */
  webhookLimit?: number
  /** What it keeps of a person. */
  privacy?: Privacy
  /** Told of a file in which a virus was found, in the transaction that takes the file away: it may be of any plugin. */
  infected?(tx: Knex, file: { workspace: string; client: string; id: string }): Promise<void>
  /** How it takes replies by mail to what it mailed about its records. */
  replies?: TakesReplies
  /** What must hold for it, for `portico doctor` and `enable`. */
  checks?(it: {
    crm: Crm
    database: Knex
    /** Where replies to mails arrive, as the configuration says. */
    replies: RepliesOptions | undefined
  }): Promise<{ label: string; problems: string[] }[]>
  /** By the word after its name: `portico tickets export`. */
  commands?: Record<string, PluginCommand>
  /** Rows of its own tables for tests and the demo, as the owner of the tables. */
  fixtures?(owner: Knex, parts: StoreParts): Promise<void>
  /** Which of the audit's answers it follows from. */
  audit?: PluginAudit | PluginAudit[]
  /** What it does later, by `<name>.<word>`: see `Host.jobs`. */
  jobs?: Record<`${Name}.${string}`, Job>
  /**
   * Jobs of its own that are queued with an action of a client, in the same transaction, by the last word of the event:
   * `{ accepted: 'tickets.tell' }`. Their data is `{ entry }`, the id of the entry in the activity log.
   */
  followUps?: Record<string, `${Name}.${string}`>
  /** What it does for other plugins; each is made once, when it is first asked for. */
  capabilities?: { [Key in keyof Capabilities]?: (host: Host) => Capabilities[Key] }
  /** What it has only where another plugin is installed as well, by the name of that one. */
  with?: Record<string, PluginPart<Name>>
}

/** What a store may use besides the database. */
export interface StoreParts {
  /** Where uploaded files are stored, if anywhere. */
  files: FileStore | undefined
}

/** What a plugin may have only beside another one. */
type PluginPart<Name extends string = string> = Pick<
  PluginDefinition<Name>,
  'permissions' | 'toggles' | 'activity' | 'responseSchemas'
> &
  Pick<Portico.Plugin, keyof Portico.Plugin & 'mails'>

/** A plugin's pages under the account. Such a plugin may also name events and step-ups `account.…`. */
export interface AccountPages {
  /** Its word in the address, below `/portal/:workspace/account`; the plugin's name if not given. */
  path?: string
  /** Each route needs a rule, such as `anyMember`. */
  routes(router: Router, host: Host): void
}

type AccountName = `account.${string}`

/** A plugin's pages for visitors by a public link, at the link's own address and the plugin's name. */
export interface LinkedPages {
  /** Whether it has something to offer for documents of this subject. */
  of(subject: Subject): boolean
  /** The toggle that switches it for links, beside the plugin's own. */
  toggle: string
  /** Permissions of a visitor with the link. */
  may: readonly string[]
  /**
   * Each route names its rule. They must reach the document of `req.portal.guest` and nothing else of its client. None is
   * there where the workspace asks for a second factor before one of the plugin's `stepUps`.
   */
  routes(router: Router, host: Host): void
}

/** Headings of the settings' menu, in its order. */
export const settingsGroups = {
  people: 'People',
  visible: 'What clients see',
  messages: 'Messages',
  look: 'Look',
  records: 'Records',
  system: 'System',
}
export type SettingsGroup = keyof typeof settingsGroups

/** A plugin's page for workspace admins, in the CRM's settings. */
export interface SettingsPage {
  /** Its word in the address, below the settings; the plugin's name if not given. */
  path?: string
  title: string
  icon: string
  /** Its place in the menu; 85 if not given. */
  order?: number
  /** Under which heading of the menu; `records` if not given. */
  group?: SettingsGroup
  /** SQL of one integer, over `scope.workspace`: how much waits for staff, for the menu. Count to a hundred at most. */
  waiting?: string
  /** How the overview says so, with `{count}`, and the verb of its button: `['{count, plural, …}', 'Answer']`. */
  waits?: [sentence: string, action: string]
  /** Each route needs a rule, such as `admins`. */
  routes(router: Router, host: Host): void
}

/** A view that a plugin puts into pages of other plugins. */
export interface Slot {
  view: `${string}/${string}`
  /** What it shows beside what the page has; asked while the page is. */
  data?(req: Request<any>, host: Host): Promise<object>
}

/** How a plugin takes replies to what it mailed. */
interface TakesReplies {
  /** Does all that the portal's own form would do, in this transaction of the workspace, or says why not. */
  take(tx: Knex, reply: MailReply, host: Host): Promise<'taken' | Refusal>
}

/** Work that any process may do later. It is retried when it throws. */
export interface Job {
  /**
   * Seconds between two runs in each workspace, in whole minutes from midnight UTC; only when it is queued, if not
   * given.
   */
  every?: number
  /**
   * Instead of `every`: the ids of the workspaces where something is to be done now. Asked every few seconds by one of the
   * instances, so it must be cheap. Such jobs may wait for servers of others: no other job waits for them.
   */
  due?(database: Knex): Promise<string[]>
  /** Whether it is done even while the portal is off for the workspace: what erases must not wait. */
  whileOff?: boolean
  /** What the portal itself called it, before plugins had jobs: what waits under that name is done by this one. */
  formerly?: string
  /**
   * Not called while the portal is off for the workspace, unless `whileOff`: queued jobs wait. After 15 minutes a job
   * counts as lost and is run again, so running it twice must have the same result. The returned value is the data of a
   * follow-up job; return undefined when done.
   */
  work(job: { workspace: { id: string; slug: string }; data: any }, host: Host): Promise<object | undefined>
}

type Optional = 'permissions' | 'toggles' | 'responseSchemas' | 'activity' | 'routes'

/** A plugin as the registry has it, with defaults filled in. */
export type Section<Name extends string = string> = PluginDefinition<Name> &
  Required<Pick<PluginDefinition<Name>, Optional>>

/** What the portal offers to a plugin when it is set up. */
export interface Host {
  /** The portal's own database, connected as a role that reaches nothing before it has entered a workspace. */
  database: Knex
  /** Where uploaded files are stored; undefined where none can be uploaded. */
  files: FileStore | undefined
  log: Log
  /** All that are installed, in their order. */
  plugins: Section[]
  capability: CapabilityOf
  jobs: PluginQueue
  /** The workspace of a slug; undefined if there is none or the portal is off for it. */
  workspace(slug: string): Promise<Workspace | undefined>
}

/** Queues jobs of plugins. */
export interface PluginQueue {
  /**
   * Queues a job for a workspace, if the transaction commits, `seconds` from now. Another instance may take it. Throws a
   * TypeError for one that no plugin declares.
   */
  queue(tx: Knex, job: QueuedJob): Promise<void>
  /** Looks for jobs now, and not within ten seconds: for after the transaction. */
  wake(): void
}

/** A job to be done once, in `seconds` or at once. */
export interface QueuedJob {
  /** `tickets.close` */
  job: string
  workspace: { id: string; slug: string }
  data: object
  seconds?: number
}

/**
 * Completes a plugin's definition. The registry validates it when the portal starts and names the plugin and
 * field.
 */
export const section = <Name extends string>(it: PluginDefinition<Name>): Section =>
  ({
    permissions: {},
    toggles: {},
    responseSchemas: {},
    activity: {},
    routes: () => undefined,
    ...it,
  }) as unknown as Section
