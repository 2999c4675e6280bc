import type { Request } from 'express'
import type { Knex } from 'knex'
import type { RequestContext } from '../context.ts'
import { within } from '../database.ts'
import { localeOf, type Speech, speak, zoneOf } from '../language.ts'
import type { Facts, LetterKind } from '../mail/letters.ts'
import type { Outbox } from '../mail/outbox.ts'
import { said, textOf } from '../mail/texts.ts'
import type { Limits } from './limits.ts'
import type { accountOf } from './people.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Undefined where no mail is sent. */
      mailed: Ways | undefined
    }
  }
}

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

/** A request, or what of one a mail needs. */
export interface Asked {
  portal: Pick<RequestContext, 'workspace' | 'locale'>
}

export const linkTo = ({ address }: Ways, req: Asked, path: string) => `${address}/${req.portal.workspace.slug}${path}`

/** Of a document, for a mail: who belongs to several companies is led to the right one. */
export const documentAt = (
  { address }: Pick<Ways, 'address'>,
  slug: string,
  { client, section, id, rest = '' }: { client: string; section: string; id: string; rest?: string },
) => `${address}/${slug}/${section}/${encodeURIComponent(id)}${rest}?${new URLSearchParams({ client })}`

export interface Reader {
  email: string
  person?: string
  name?: string
  language?: string | null
  timeZone?: string | null
}

interface Filling {
  facts?: Facts | ((speech: Speech) => Facts)
  /** To be typed. */
  code?: string
  /** Where the button leads. */
  url?: string
}

/**
 * In the language of whoever reads it, which is not always that of whoever asks, and in the workspace's own words where
 * it has some. Nobody: as much is done, and nothing is sent.
 */
export async function write(
  { outbox }: Ways,
  req: Asked,
  tx: Knex,
  kind: LetterKind,
  to: Reader | undefined,
  { facts = {}, code, url }: Filling,
) {
  const { workspace, locale } = req.portal
  const speech = speak(`${localeOf(to?.language ?? locale)}|${zoneOf(to?.timeZone ?? workspace.timeZone)}`)
  const all = {
    ...(typeof facts === 'function' ? facts(speech) : facts),
    workspace: workspace.name,
    ...(code && { code }),
  }
  const own = await textOf(tx, workspace.id, kind, speech.language)
  const letter = { greeting: greeting(speech, to?.name), ...said(kind, speech, all, own, url), ...(code && { code }) }
  await outbox.post(tx, { workspace, kind, to, speech, letter })
}

export function greeting({ t }: Pick<Speech, 't'>, name = ''): string {
  const [first] = name.split(/\s+/)
  return first ? t('Hello {name},', { name: first }) : t('Hello,')
}
