import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { keyedHash } from '../../src/platform/crypto.ts'
import { query, readWithin } from '../../src/platform/database.ts'
import type { RepliesOptions } from '../../src/platform/replies.ts'
import type { Capabilities } from '../../src/plugin/capabilities.ts'
import type { Host } from '../../src/plugin/plugin.ts'

type MailReplies = Capabilities['mailReplies']
type RepliedRecord = Parameters<MailReplies['addressFor']>[1]

/** Days that an address takes replies, from the last mail that named it or the last reply to it. */
const lasts = 90

export const isReceiving = (replies: RepliesOptions | undefined): replies is RepliesOptions =>
  Boolean(replies?.imap || replies?.webhookSecret)

/** The same reader and record have the same address, as long as the secret is the same; older ones go on working. */
export const mailReplies = (host: Host): MailReplies => ({
  async addressFor(tx, of) {
    const { replies, secrets } = coreHostOf(host)
    if (!isReceiving(replies)) return undefined
    const token = tokenOf(of, secrets[0] ?? '')
    await keepAddress(tx, of, token)
    const [local, domain] = replies.address.split('@')
    return `${local}+${token}@${domain}`
  },
})

/** 128 bits in base32 (RFC 4648): mail servers may change upper case to lower. */
function tokenOf({ workspace, client, kind, id, by }: RepliedRecord, secret: string): string {
  const whose = JSON.stringify([workspace, client, kind, id, by.kind, by.id])
  const bytes = Buffer.from(keyedHash(whose, secret, 'reply address'), 'base64url').subarray(0, 16)
  const bits = [...bytes].map(it => it.toString(2).padStart(8, '0')).join('')
  return bits.replace(/.{1,5}/g, it => letters[Number.parseInt(it.padEnd(5, '0'), 2)]!)
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567'
const tokenPattern = '[a-z2-7]{26}'

const hashed = (token: string) => createHash('sha256').update(token).digest('base64url')

const keepAddress = (tx: Knex, { workspace, client, kind, id, by }: RepliedRecord, token: string) =>
  query(tx, {
    name: 'portal.reply-address',
    text: `insert into portal.client_reply_addresses as a (workspace_id, token_hash, client_id, kind, record_id, by_kind, by_id,
             by_name, email, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, portal.now() + interval '${lasts} days')
           on conflict (workspace_id, token_hash) do update
             set by_name = excluded.by_name, email = excluded.email, expires_at = excluded.expires_at`,
    values: [workspace, hashed(token), client, kind, id, by.kind, by.id, by.name, by.email],
  })

/** From now on it takes replies for as long again. */
export const renewAddress = (tx: Knex, workspace: string, token: string) =>
  query(tx, {
    text: `update portal.client_reply_addresses set expires_at = portal.now() + interval '${lasts} days'
           where workspace_id = $1 and token_hash = $2`,
    values: [workspace, token],
  })

/** Whom an address was given to, and for which record. */
export interface ReplyAddress {
  workspace: { id: string; slug: string }
  /** The hash of its token. */
  token: string
  client: string
  kind: string
  id: string
  by: { kind: 'client' | 'staff'; id: string; name: string }
  email: string
}

/** Recipients that are looked at. */
const mostRecipients = 100

/** The reply addresses among the recipients of a mail, each once. */
export async function findAddresses(host: Host, recipients: string[]): Promise<ReplyAddress[]> {
  const { database, replies } = coreHostOf(host)
  const [local = '', domain = ''] = (replies?.address ?? '').split('@')
  const tokens = recipients.slice(0, mostRecipients).flatMap(it => tokenIn(it, local, domain) ?? [])
  const found = await Promise.all([...new Set(tokens)].map(it => findAddress(database, hashed(it))))
  return found.filter(it => it !== undefined)
}

function tokenIn(recipient: string, local: string, domain: string): string | undefined {
  const address = recipient.trim().toLowerCase()
  if (!address.startsWith(`${local}+`) || !address.endsWith(`@${domain}`)) return undefined
  const token = address.slice(local.length + 1, -domain.length - 1)
  return new RegExp(`^${tokenPattern}$`).test(token) ? token : undefined
}

async function findAddress(database: Knex, token: string): Promise<ReplyAddress | undefined> {
  const [workspace] = await query<{ id: string; slug: string }>(database, {
    name: 'portal.find-reply-address',
    text: 'select id, slug from portal.find_reply_address($1)',
    values: [token],
  })
  if (!workspace) return undefined
  const [row] = await readWithin<Omit<ReplyAddress, 'workspace' | 'token'>>(
    database,
    { workspace: workspace.id },
    {
      name: 'portal.reply-address-of',
      text: `select a.client_id as client, a.kind, a.record_id as id, a.email,
               jsonb_build_object('kind', a.by_kind, 'id', a.by_id, 'name', a.by_name) as by
             from portal.client_reply_addresses a where a.workspace_id = scope.workspace and a.token_hash = $3`,
      values: [token],
    },
  )
  return row && { ...row, workspace, token }
}
