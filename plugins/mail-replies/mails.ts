import type { Knex } from 'knex'
import { query, readWithin, within } from '../../src/platform/database.ts'
import type { ReplyAddress } from './addresses.ts'
import type { Incoming } from './incoming.ts'
import type { Why } from './why.ts'

/** How a mail is known: a key that it has however often it arrives, and what it says. */
export interface Identity {
  key: string
  content: Buffer
}

/** Days that it is known which mails arrived, and that held ones are kept. */
export const keptDays = 30

/** What was done with a mail that has the key already; undefined where there is none. */
export async function knownMail(
  database: Knex,
  workspace: string,
  key: string,
): Promise<{ content: Buffer } | undefined> {
  const [row] = await readWithin<{ content: Buffer }>(
    database,
    { workspace },
    {
      name: 'portal.reply-known',
      text: `select m.content_hash as content from portal.client_reply_mails m
             where m.workspace_id = scope.workspace and m.key = $3`,
      values: [key],
    },
  )
  return row
}

interface Noted extends Identity {
  of: ReplyAddress
  mail: Incoming
  state: 'taken' | 'held' | 'ignored'
  why?: Why
  text?: string
  details?: Details
  stored?: boolean
}

/** What staff see of a mail that is held. */
export interface Details {
  headers: [name: string, value: string][]
  /** Names of its files. */
  files: string[]
}

/** Notes a mail in a transaction of its workspace. False where another process has noted it meanwhile. */
export async function noteMail(tx: Knex, it: Noted): Promise<boolean> {
  const { of, mail } = it
  const rows = await query(tx, {
    name: 'portal.reply-note',
    text: `insert into portal.client_reply_mails (workspace_id, key, client_id, state, token_hash, kind, record_id, by_kind, by_id,
             by_name, sender, subject, message_id, content_hash, why, text, details, stored)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
           on conflict (workspace_id, key) do nothing returning key`,
    values: [
      ...[of.workspace.id, it.key, of.client, it.state, of.token, of.kind, of.id, of.by.kind, of.by.id, of.by.name],
      ...[
        mail.from
          .map(one => one.address)
          .join(', ')
          .slice(0, 300),
        mail.subject,
        mail.messageId,
        it.content,
      ],
      ...[it.why ? JSON.stringify(it.why) : null, it.text ?? null],
      ...[it.details ? JSON.stringify(it.details) : null, it.stored ?? false],
    ],
  })
  return rows.length > 0
}

/** How many replies to this address came within the last hour, and how many of it are kept whole for staff. */
export async function countOf(tx: Knex, workspace: string, token: string): Promise<{ hour: number; stored: number }> {
  const [row] = await query<{ hour: number; stored: number }>(tx, {
    name: 'portal.reply-count',
    text: `select count(*) filter (where m.at > portal.now() - interval '1 hour' and m.state <> 'ignored')::int as hour,
             count(*) filter (where m.stored)::int as stored
           from portal.client_reply_mails m where m.workspace_id = $1 and m.token_hash = $2`,
    values: [workspace, token],
  })
  return row!
}

/** A mail that is held, as the page lists it. */
export interface HeldMail {
  key: string
  at: Date
  client: string
  kind: string
  id: string
  by: ReplyAddress['by']
  sender: string
  subject: string
  why: Why
  text: string
  details: Details
  stored: boolean
  token: string
}

const columns = `m.key, m.at, m.client_id as client, m.kind, m.record_id as id, m.sender, m.subject, m.why, m.stored,
  m.token_hash as token, coalesce(m.text, '') as text, coalesce(m.details, '{"headers": [], "files": []}') as details,
  jsonb_build_object('kind', m.by_kind, 'id', m.by_id, 'name', m.by_name) as by`

/** Mails of this state, the newest first, those before `before` only: one more than fit on a page. */
export const listMails = (
  database: Knex,
  workspace: string,
  { state, before, size }: { state: 'held' | 'ignored'; before: string | undefined; size: number },
): Promise<HeldMail[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: `portal.reply-list.${state}`,
      text: `select ${columns} from portal.client_reply_mails m
             where m.workspace_id = scope.workspace and m.state = '${state}'
               and ($3::uuid is null or (m.at, m.key) < (
                 select b.at, b.key from portal.client_reply_mails b where b.workspace_id = scope.workspace and b.key = $3::uuid))
             order by m.at desc, m.key desc limit ${size + 1}`,
      values: [before ?? null],
    },
  )

/** One that is held; undefined for one that is not, or not any more. */
export async function heldMail(database: Knex, workspace: string, key: string): Promise<HeldMail | undefined> {
  const [row] = await readWithin<HeldMail>(
    database,
    { workspace },
    {
      name: 'portal.reply-held',
      text: `select ${columns} from portal.client_reply_mails m
             where m.workspace_id = scope.workspace and m.state = 'held' and m.key = $3`,
      values: [key],
    },
  )
  return row
}

/** Ends that it is held. False where somebody else was first. */
export async function decideMail(
  tx: Knex,
  workspace: string,
  it: { key: string; state: 'accepted' | 'discarded'; by: string },
): Promise<boolean> {
  const rows = await query(tx, {
    text: `update portal.client_reply_mails set state = $3, decided_by = $4, text = null, details = null, stored = false
           where workspace_id = $1 and key = $2 and state = 'held' returning key`,
    values: [workspace, it.key, it.state, it.by],
  })
  return rows.length > 0
}

/** Forgets mails that came long ago. */
export const forgetOldMails = (database: Knex, workspace: string) =>
  within(database, { workspace }, tx =>
    query(tx, {
      text: `delete from portal.client_reply_mails where workspace_id = $1 and at < portal.now() - interval '${keptDays} days'`,
      values: [workspace],
    }),
  )

/** Keys of those whose files are kept. */
export async function storedKeys(database: Knex, workspace: string): Promise<Set<string>> {
  const rows = await readWithin<{ key: string }>(
    database,
    { workspace },
    {
      text: 'select m.key from portal.client_reply_mails m where m.workspace_id = scope.workspace and m.stored',
    },
  )
  return new Set(rows.map(it => it.key))
}

/** Why it could not be accepted. */
export const tellWhy = (tx: Knex, workspace: string, key: string, why: Why) =>
  query(tx, {
    text: `update portal.client_reply_mails set why = $3 where workspace_id = $1 and key = $2 and state = 'held'`,
    values: [workspace, key, JSON.stringify(why)],
  })
