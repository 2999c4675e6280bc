import { setTimeout as after } from 'node:timers/promises'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Activation } from '../crm/activation/activation.ts'
import type { BrandedWorkspace, Workspaces } from '../crm/workspaces.ts'
import { currentTime } from '../platform/clock.ts'
import { seal, unsealOrUndefined } from '../platform/crypto.ts'
import { query, unreachable, within } from '../platform/database.ts'
import type { Flags } from '../platform/flags.ts'
import type { Speech } from '../platform/i18n.ts'
import { type Job, type Jobs, LeaveToOthers } from '../platform/jobs.ts'
import type { Log } from '../platform/log.ts'
import { logoId, type MailContent, type RenderedMail, renderMail } from './content.ts'
import { mailContentOf } from './kinds.ts'
import type { Attachment, Transport } from './transport.ts'

/** Recipient and text. Without a recipient the same work is done and nothing is sent, so that timing tells nothing. */
interface Posting {
  workspace: BrandedWorkspace
  kind: string
  to: { email: string; person?: string } | undefined
  speech: Speech
  letter: MailContent
  attachments?: Attachment[]
  /** Where replies go; to the sender if not given. */
  replyTo?: string
  /** Where the reader says that they want no more of its kind (RFC 8058). */
  unsubscribe?: string
  /** It leaves then, if its reader still belongs to this client. */
  held?: { until: Date; client: string }
}

export interface Outbox {
  /** Within the transaction of its cause, which has entered the workspace: it is sent if that commits, and not else. Returns its id. */
  post(tx: Knex, posting: Posting): Promise<string>
  /** Call it after the commit: the mail leaves now and not at the next turn. */
  wake(): void
}

interface Parts {
  database: Knex
  activation: Pick<Activation, 'isAccepted' | 'check'>
  flags: Flags
  jobs: Jobs
  log: Log
  secrets: string[]
  transport: Transport | undefined
  workspaces: Pick<Workspaces, 'find' | 'logo'>
}

const queue = 'mail'
/** The queue of mails that people need to sign in. It does not wait for other mails. */
const firstQueue = 'mail-first'

/** How many are handed to the mail server at once, by each process. */
const parallel = { first: 2, others: 3 }

/** Each mail once: its row says whether it has left. Without a transport it stays in the table. */
export function outbox({ database, activation, flags, jobs, log, secrets, transport, workspaces }: Parts): Outbox {
  if (transport) {
    const parts = { database, activation, flags, log, secrets, transport, workspaces }
    const send = (job: Job<PostedMail>) => deliver(job, parts)
    jobs.work<PostedMail>(firstQueue, send, { parallel: parallel.first })
    jobs.work<PostedMail>(queue, send, { parallel: parallel.others })
  }

  return {
    async post(tx, { workspace, kind, to, speech, letter, replyTo, unsubscribe, held, attachments = [] }) {
      const id = uuid()
      const mail = renderMail(unsubscribe ? { ...letter, unsubscribe } : letter, workspace, speech, to?.email)
      const told = letter.code ? mail.subject.replaceAll(letter.code, '••••••') : mail.subject
      await query(tx, {
        text: `insert into portal.client_outbox (workspace_id, id, kind, person_id, recipient, subject, sealed, sent_at)
               values ($1, $2, $3, $4, $5, $6, $7, case when $5 = '' then portal.now() end)`,
        values: [
          ...[workspace.id, id, kind, to?.person ?? null, to?.email ?? '', told],
          seal(JSON.stringify({ ...mail, from: workspace.name, replyTo, unsubscribe, attachments }), secrets, 'mail'),
        ],
      })
      const its = mailContentOf(kind)?.urgent ? firstQueue : queue
      const posted: PostedMail = {
        ...{ workspace: workspace.id, slug: workspace.slug, id },
        ...(held && { client: held.client }),
      }
      const seconds = held ? (held.until.getTime() - currentTime(database).getTime()) / 1_000 : 0
      await jobs.send(tx, its, posted, Math.max(Math.ceil(seconds), 0))
      return id
    },
    wake: jobs.wake,
  }
}

interface PostedMail {
  workspace: string
  slug: string
  id: string
  /** Of a mail that was held: its reader must still belong to this client. */
  client?: string
}

interface Row {
  recipient: string
  /** Whether other instances have had long enough to send it. */
  old: boolean
  sealed: Buffer
}

type SealedMail = RenderedMail & Pick<Posting, 'replyTo' | 'unsubscribe' | 'attachments'> & { from: string }

async function deliver({ data, retryCount, retryLimit }: Job<PostedMail>, parts: Omit<Parts, 'jobs'>) {
  const { database, activation, flags, log, secrets, transport, workspaces } = parts
  const { workspace, slug, id } = data
  if (!flags.enabled(slug) || !(await activation.isAccepted()))
    throw new Error(`The portal of ${slug} is switched off.`)
  if (data.client !== undefined) await dropIfLeft(database, { ...data, client: data.client })
  const change = (set: string, values: unknown[] = []) =>
    within(database, { workspace }, tx =>
      query<Row>(tx, {
        text: `update portal.client_outbox set ${set} where workspace_id = $1 and id = $2 and sent_at is null
               and sealed is not null
               returning recipient, sealed, created_at < portal.now() - interval '1 hour' as old`,
        values: [workspace, id, ...values],
      }),
    )

  const [row] = await change('attempts = attempts + 1')
  if (!row) return
  const isAccepted = unsealOrUndefined(row.sealed, secrets, 'mail')
  if (!isAccepted && !row.old) {
    activation.check().catch(() => undefined)
    throw new LeaveToOthers(`The mail ${id} is sealed with another secret.`)
  }
  if (!isAccepted) {
    log.error({ workspace, mail: id }, 'a mail is lost: it was sealed with a secret that no instance has')
    await change(`failed_at = portal.now(), sealed = null, error = 'sealed with another secret'`)
    return
  }
  const { logo, ...mail }: SealedMail = JSON.parse(isAccepted)
  const pictures = logo ? await logoOf(slug, workspaces) : []
  try {
    const attachments = [...(mail.attachments ?? []), ...pictures]
    await transport?.({ id, to: row.recipient, ...mail, attachments })
  } catch (error: any) {
    const final = error.responseCode >= 500 || retryCount >= retryLimit
    const told = String(error.message).slice(0, 300)
    await change(`error = $3${final ? ', failed_at = portal.now(), sealed = null' : ''}`, [told])
    log.warn({ workspace, mail: id, error: told, final }, 'a mail could not be sent')
    if (final) return
    throw error
  }
  await note(() => change('sent_at = portal.now(), sealed = null, error = null'), log)
}

/** Forgets a mail that was held while its reader left the client or was suspended. */
const dropIfLeft = (database: Knex, { workspace, id, client }: Required<Omit<PostedMail, 'slug'>>) =>
  within(database, { workspace }, tx =>
    query(tx, {
      text: `delete from portal.client_outbox o
             where o.workspace_id = $1 and o.id = $2 and o.sent_at is null and not exists (
               select from portal.client_memberships m
                 join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
               where m.workspace_id = o.workspace_id and m.person_id = o.person_id and m.client_id = $3
                 and u.suspended_at is null)`,
      values: [workspace, id, client],
    }),
  )

/** The logo as a picture of the mail. Without it, mail programs show the name instead. */
async function logoOf(slug: string, workspaces: Parts['workspaces']): Promise<Attachment[]> {
  const workspace = await workspaces.find(slug).catch(() => undefined)
  const logo = workspace && (await workspaces.logo(workspace).catch(() => undefined))
  if (logo?.type !== 'image/png') return []
  const content = logo.bytes.toString('base64')
  return [{ filename: 'logo.png', cid: logoId, content, encoding: 'base64', contentType: logo.type }]
}

/**
 * That a mail has left is noted, however long the database does not answer: else it would be sent again. Ends with the
 * process, or with an error that waiting does not mend.
 */
async function note(write: () => Promise<unknown>, log: Log): Promise<void> {
  for (let warned = false; ; warned = true) {
    try {
      await write()
      return
    } catch (err) {
      if (!unreachable(err)) throw err
      if (!warned) log.warn({ err }, 'a mail was sent; that it was is noted when the database answers')
      await after(500, undefined, { ref: false })
    }
  }
}
