import type { Request } from 'express'
import type { Knex } from 'knex'
import type { RequestContext } from '../http/context.ts'
import type { Facts, MailKind } from '../mail/kinds.ts'
import type { Outbox } from '../mail/outbox.ts'
import { mailContentIn, textOf } from '../mail/texts.ts'
import { within } from '../platform/database.ts'
import { localeOf, type Speech, speak, zoneOf } from '../platform/i18n.ts'
import type { Limits } from './limits.ts'
import type { accountOf } from './people.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Undefined where no mail is sent. */
      mailContext: MailContext | undefined
    }
  }
}

/** What all sign-in methods that send mail share. */
export interface MailContext {
  database: Knex
  outbox: Outbox
  /** The first secret signs. */
  secrets: string[]
  /**
   * Where clients find the portal, for links in mails. Never taken from a request, since its sender chooses the host.
   */
  address: string
  limits: Limits
}

export type Account = NonNullable<Awaited<ReturnType<typeof accountOf>>>

/** Runs a transaction in this request's workspace. Mails that it queues are sent once it is committed. */
export async function withMail<T>(
  { database, outbox }: MailContext,
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
) {
  const result = await within(database, { workspace: req.portal.workspace.id }, work)
  outbox.wake()
  return result
}

/** A request, or the parts of it that a mail needs. */
export interface MailRequest {
  portal: Pick<RequestContext, 'workspace' | 'locale'>
}

export const linkTo = ({ address }: MailContext, req: MailRequest, path: string) =>
  `${address}/${req.portal.workspace.slug}${path}`

/** Returns the address of a document for a mail. It selects the right client for people with several. */
export const documentAt = (
  { address }: Pick<MailContext, 'address'>,
  slug: string,
  { client, section, id, rest = '' }: { client: string; section: string; id: string; rest?: string },
) => `${address}/${slug}/${section}/${encodeURIComponent(id)}${rest}?${new URLSearchParams({ client })}`

export interface Recipient {
  email: string
  person?: string
  name?: string
  language?: string | null
  timeZone?: string | null
}

export interface MailValues {
  facts?: Facts | ((speech: Speech) => Facts)
  /** A code for the reader to enter. */
  code?: string
  /** The address that the button opens. */
  url?: string
  /** Where replies go; to the sender if not given. */
  replyTo?: string | undefined
  /** Where the reader says that they want no more of its kind: the address takes a POST (RFC 8058). */
  unsubscribe?: string
  /** It leaves then, if its reader still belongs to this client. At once, if not given. */
  held?: HeldMail | undefined
}

/** A mail that waits until a moment. */
interface HeldMail {
  until: Date
  client: string
}

/**
 * Mails a person in their own language, with the workspace's own texts if it has any. Without a recipient it does the
 * same work, but sends nothing. Returns the mail's id.
 */
export async function sendMail(
  { outbox }: MailContext,
  req: MailRequest,
  tx: Knex,
  kind: MailKind,
  to: Recipient | undefined,
  { facts = {}, code, url, replyTo, unsubscribe, held }: MailValues,
) {
  const { workspace, locale } = req.portal
  const speech = speak(`${localeOf(to?.language ?? locale)}|${zoneOf(to?.timeZone ?? workspace.timeZone)}`)
  const all = {
    ...(typeof facts === 'function' ? facts(speech) : facts),
    workspace: workspace.name,
    ...(code && { code }),
  }
  const own = await textOf(tx, workspace.id, kind, speech.language)
  const letter = {
    greeting: greeting(speech, to?.name),
    ...mailContentIn(kind, speech, all, own, url),
    ...(code && { code }),
  }
  return outbox.post(tx, {
    ...{ workspace, kind, to, speech, letter },
    ...(replyTo && { replyTo }),
    ...(unsubscribe && { unsubscribe }),
    ...(held && { held }),
  })
}

export function greeting({ t }: Pick<Speech, 't'>, name = ''): string {
  const [first] = name.split(/\s+/)
  return first ? t('Hello {name},', { name: first }) : t('Hello,')
}
