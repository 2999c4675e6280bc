import type { Knex } from 'knex'
import { query } from '../database.ts'
import type { Speech } from '../language.ts'
import type { Letter } from './letter.ts'
import { type Facts, filled, type LetterKind, mailOf, type Words } from './letters.ts'

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

/** What is said: button and what stands below it are Portico's own words, whatever the workspace writes above. */
export function said(
  kind: LetterKind,
  { t }: Pick<Speech, 't'>,
  facts: Facts,
  own: Text | undefined,
  url?: string,
): Omit<Letter, 'greeting'> {
  const { action, ...words }: Words = mailOf(kind).words(t, facts)
  return {
    ...words,
    ...(own && {
      subject: filled(own.subject, facts),
      paragraphs: own.body.split(/\n{2,}/).map(it => filled(it, facts)),
    }),
    ...(action && url && { action: { label: action, url } }),
  }
}
