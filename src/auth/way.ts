import type { Request } from 'express'
import type { Knex } from 'knex'
import { within } from '../database.ts'
import { speak, zoneOf } from '../language.ts'
import type { Letter } from '../mail/letter.ts'
import type { Outbox } from '../mail/outbox.ts'
import type { Limits } from './limits.ts'
import type { accountOf } from './people.ts'

/** What the ways in have in common. */
export interface Ways {
  database: Knex
  outbox: Outbox
  /** The first one signs. */
  secrets: string[]
  /** Where clients find the portal, for links in mails; never taken from a request, whose sender chooses its host. */
  address: string
  limits: Limits
}

export type Account = NonNullable<Awaited<ReturnType<typeof accountOf>>>

/** A transaction in this request's workspace; what it posts leaves as soon as it is committed. */
export async function mailing<T>(
  { database, outbox }: Ways,
  req: Request<any>,
  work: (tx: Knex.Transaction) => Promise<T>,
) {
  const result = await within(database, { workspace: req.portal.workspace.id }, work)
  outbox.wake()
  return result
}

export const linkTo = ({ address }: Ways, req: Request<any>, path: string) =>
  `${address}/${req.portal.workspace.slug}${path}`

/** In the language of whoever reads it, which is not always that of whoever asks. */
export async function write(
  { outbox }: Ways,
  req: Request<any>,
  tx: Knex,
  kind: string,
  to: { email: string; person?: string; name?: string; language?: string | null; timeZone?: string | null } | undefined,
  words: (t: ReturnType<typeof speak>['t'], speech: ReturnType<typeof speak>) => Omit<Letter, 'greeting'>,
) {
  const { workspace, locale } = req.portal
  const speech = speak(`${to?.language ?? locale}|${zoneOf(to?.timeZone ?? workspace.timeZone)}`)
  const { t } = speech
  const first = to?.name?.split(/\s+/)[0]
  const greeting = first ? t('Hello {name},', { name: first }) : t('Hello,')
  await outbox.post(tx, { workspace, kind, to, speech, letter: { greeting, ...words(t, speech) } })
}
