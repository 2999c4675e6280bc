import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import type { Speech } from '../platform/i18n.ts'
import type { MailContent } from './content.ts'
import { type Facts, filled, type MailKind, mailOf, type Words } from './kinds.ts'

export interface Text {
  subject: string
  /** Paragraphs, with empty lines between them. */
  body: string
}

/** A workspace's own words for a kind of mail in a language, within a transaction that has entered it. */
export async function textOf(tx: Knex, workspace: string, kind: string, language: string): Promise<Text | undefined> {
  const [row] = await query<Text>(tx, {
    name: 'portal.text',
    text: `select x.subject, x.body from portal.client_mail_texts x
           where x.workspace_id = $1 and x.kind = $2 and x.language = $3`,
    values: [workspace, kind, language],
  })
  return row
}

/** The content of a mail. Quotations, facts, the button and the text below it are always Portico's own. */
export function mailContentIn(
  kind: MailKind,
  { t }: Pick<Speech, 't'>,
  facts: Facts,
  own: Text | undefined,
  url?: string,
): Omit<MailContent, 'greeting'> {
  const { action, quotes = [], why, ...words }: Words = mailOf(kind).words(t, facts)
  const paragraphs = own?.body.split(/\n{2,}/).map(it => filled(it, facts)) ?? words.paragraphs
  return {
    ...words,
    paragraphs,
    // Own words may hold a quotation already.
    quotes: quotes.filter(({ text }) => text && !paragraphs.some(it => it.includes(text))),
    why: why ?? t('You get this because you have an account in the {workspace} portal.', facts),
    ...(own && { subject: filled(own.subject, facts) }),
    ...(action && url && { action: { label: action, url } }),
  }
}
