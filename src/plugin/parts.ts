import type { IncomingHttpHeaders } from 'node:http'
import type { Knex } from 'knex'
import type { ZodType } from 'zod'
import type { Role } from '../crm/crm.ts'
import type { ReceivedFile } from '../files/receive.ts'
import type { RequestContext } from '../http/context.ts'
import type { Speech } from '../platform/i18n.ts'

/**
 * What a plugin keeps about subjects of other plugins. It is read in the same round trip as the document's
 * history.
 */
export interface Attached {
  /** SQL of one jsonb value, over `scope.workspace` and `scope.client`; $3 is the kind of the subject and $4 its id. */
  select: string
  /** The zod schema of the value in API responses. It must accept a missing value: `.default([])`. */
  shape: ZodType
}

/** A typed setting of a workspace. `secret` values are stored encrypted. */
export interface PluginOption {
  /** As the activity log names it. */
  label: string
  /** Of the value. It gives the default where nothing is set: `z.coerce.number().int().min(1).default(24)`. */
  shape: ZodType
  /** Kept sealed, and never shown or logged. */
  secret?: boolean
}

/** A call to a plugin's webhook as it arrived. Verify its signature before you use anything in it. */
export interface WebhookCall {
  method: string
  headers: IncomingHttpHeaders
  query: Record<string, unknown>
  /** The raw bytes, `webhookLimit` of the plugin at most: signatures are made over these. */
  body: Buffer
}

/**
 * What a plugin keeps about a person: how it is exported, erased and pruned. Runs in a transaction of the person's
 * workspace.
 */
export interface Privacy {
  /** Files of the person's copy of their data, by name: the rows of each. */
  exports?(tx: Knex, who: { workspace: string; person: string }): Promise<Record<string, object[]>>
  /** The account has ended. What must be kept is kept without naming the person. */
  erases?(tx: Knex, who: { workspace: string; person: string }): Promise<void>
  /** Forgets what is over, in all workspaces, as the owner of the tables. Gives what `portico prune` says of it. */
  prunes?(owner: Knex): Promise<string>
}

/** A command of `portico`, named `<plugin> <command>`. */
export interface PluginCommand {
  about: string
  /** `args` are the words after the command. Returns the output; an Error's message is printed. */
  run(args: string[], it: { owner: Knex; database: Knex }): Promise<string>
}

/** Which question of the audit a plugin answers, and what the report says it adds. One entry for each question. */
export interface PluginAudit {
  /** The question of the questionnaire: `B8`. */
  question: string
  /** What the plugin adds where the CRM has nothing of the kind, for the report: `tickets that clients open`. */
  adds: string
  /** What of the CRM's it shows, as the audit's data map calls it, one of which must be there: `['invoices']`. */
  of?: string[]
}

/** What people do: look at something, take a file away, change something, come and go. */
export const eventKinds = ['change', 'view', 'download', 'sign-in'] as const
export type EventKind = (typeof eventKinds)[number]

/** The sentence of an event, after the actor's name, and its kind. A plain string is a change. */
export type EventSentence =
  | string
  | {
      kind: EventKind
      sentence: string
      /** Under which label the settings' overview counts it by week, such as `Accepted`. */
      weekly?: string
    }

/** Language and workspace of the person for whom something is printed. */
export type DocumentReader = Speech & Pick<RequestContext, 'workspace'>

/** A permission that roles may have, with the roles that have it by default. */
export interface Permission {
  label: string
  /** The roles that have it by default. */
  roles: readonly Role[]
  /** The toggle that must be on too, besides the section's own: `tickets.questions`. The settings explain by it. */
  toggle?: string
}

/** Something that a workspace can switch on and off for its clients. */
export interface Toggle {
  label: string
  about: string
  /** What it is about where no mail is sent, if that is something else. */
  withoutMail?: string
  default: boolean
}

/**
 * What an action needs: to be signed in, a proof of the last ten minutes that it is you, or such a proof by the second
 * factor.
 */
export type AssuranceLevel = 'none' | 'verification' | 'second'

export interface StepUp {
  label: string
  /** Unless the workspace says otherwise. */
  level: AssuranceLevel
}

/** A reply by mail to something that was mailed about one record of a plugin. */
export interface MailReply {
  workspace: { id: string; slug: string }
  client: string
  /** Whose address the mail was sent to: a person with an account, or staff. */
  by: { kind: 'client' | 'staff'; id: string; name: string }
  /** The record that the mail was about. */
  id: string
  /** Without quoted text, signature and HTML; may be empty where there are files. */
  text: string
  /** Stored already; to be kept with `keepNewFiles` in the same transaction. */
  files: ReceivedFile[]
  /** A UUID, the same for the same mail however often it arrives. */
  key: string
}

/** Why a reply was not taken: it is held for staff. */
export type Refusal = 'gone' | 'not-allowed' | 'no-space' | 'too-many'
