import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { coreHostOf } from '../auth/host.ts'
import { documentAt, type MailRequest, type MailValues, sendMail } from '../auth/mail-context.ts'
import type { Host } from '../plugin/plugin.ts'
import { kindsOf, type NotificationFacts } from './kinds.ts'

declare global {
  namespace Portico {
    interface Capabilities {
      notifications: Notifications
    }
  }
}

/** Tells people of something by the channels that they chose. */
interface Notifications {
  /** Within the transaction of what happened, which has entered the workspace. Returns the ids of those who were told. */
  tell(tx: Knex, req: MailRequest, readers: Reader[], notice: Notice): Promise<string[]>
  /** Shows the page on which people choose, for a form of another plugin in it that was refused. */
  settings: RequestHandler
}

/** Somebody with an account, who may see what the notification is about. */
export interface Reader {
  id: string
  name: string
  email: string
  language: string | null
  timeZone: string | null
}

/** Something that people are told of. */
export interface Notice {
  /** One of the kinds that a plugin declares. */
  kind: string
  record: NoticeRecord
  /** Fills the kind's sentences. */
  facts: NotificationFacts
  /** Each person is told once of a kind and key, such as an id with its version; every time, if not given. */
  key?: string
  /** Only those who were told of this before are told. */
  after?: { kind: string; key: string } | undefined
  /** Whether it only counts as told: it was so before. */
  quiet?: boolean
  /**
   * What fills its mail. If not given, the mail says the kind's sentence; with `false` nobody is mailed. `unsubscribe` is
   * the address that ends this reader's e-mails of this kind, if people choose what they are told.
   */
  mail?: false | ((reader: Reader, unsubscribe?: string) => MailValues | Promise<MailValues>)
}

/** The record that a notification leads to. */
interface NoticeRecord {
  client: string
  section: string
  id: string
  /** The place on its page: `#talk`. */
  rest?: string
}

/** The address of a record for somebody who may have several clients. */
export const addressOf = (portal: { address: string }, slug: string, { rest = '', ...record }: NoticeRecord): string =>
  documentAt(portal, slug, record) + rest

/**
 * Tells each of these people of something by the channels that they chose: here, by e-mail, and what plugins add. It is
 * part of this transaction; wake the outbox after the commit. Returns the ids of those who were told. Where the plugin
 * `notifications` is not installed, each is mailed.
 */
export async function notifyPeople(
  tx: Knex,
  host: Pick<Host, 'capability' | 'plugins'>,
  req: MailRequest,
  readers: Reader[],
  notice: Notice,
): Promise<string[]> {
  const notifications = host.capability('notifications')
  if (notifications) return notifications.tell(tx, req, readers, notice)
  const { mailContext, plugins } = coreHostOf(host as Host)
  const mail = kindsOf(plugins).get(notice.kind)?.mail
  if (!mailContext || !mail || !notice.mail) return []
  const url = addressOf(mailContext, req.portal.workspace.slug, notice.record)
  for (const reader of readers)
    await sendMail(
      mailContext,
      req,
      tx,
      mail,
      { ...reader, person: reader.id },
      { url, ...(await notice.mail(reader)) },
    )
  return readers.map(it => it.id)
}
