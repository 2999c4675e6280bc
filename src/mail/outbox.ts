import { setTimeout as after } from 'node:timers/promises'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Branded } from '../branding/workspaces.ts'
import { seal, unseal } from '../crypto.ts'
import { query, unreachable, within } from '../database.ts'
import type { Flags } from '../flags.ts'
import type { Gate } from '../gate/gate.ts'
import { ForOthers, type Job, type Jobs } from '../jobs.ts'
import type { Speech } from '../language.ts'
import type { Log } from '../log.ts'
import { type Letter, type Written, written } from './letter.ts'
import type { LetterKind } from './letters.ts'
import type { Attachment, Transport } from './transport.ts'

/** To whom, in which words. Nobody: nothing is sent, but as much is done, so that nobody can tell. */
interface Posting {
  workspace: Branded
  kind: string
  to: { email: string; person?: string } | undefined
  speech: Speech
  letter: Letter
  attachments?: Attachment[]
}

export interface Outbox {
  /** Within the transaction of its cause, which has entered the workspace: it is sent if that commits, and not else. */
  post(tx: Knex, posting: Posting): Promise<void>
  /** Call it after the commit: the mail leaves now and not at the next turn. */
  wake(): void
}

interface Parts {
  database: Knex
  door: Pick<Gate, 'opened' | 'look'>
  flags: Flags
  jobs: Jobs
  log: Log
  secrets: string[]
  transport: Transport | undefined
}

const queue = 'mail'
/** For what lets somebody in: nobody at a sign-in page waits for other mails. */
const firstQueue = 'mail-first'

const lettingIn: string[] = [
  'sign-in',
  'step-up',
  'link-code',
  'reset',
  'unlock',
  'address',
  'invitation',
  'registration',
  'registration-known',
] satisfies LetterKind[]

/** How many are handed to the mail server at once, by each process. */
const parallel = { first: 2, others: 3 }

/** Each mail once: its row says whether it has left. Without a transport it stays in the table. */
export function outbox({ database, door, flags, jobs, log, secrets, transport }: Parts): Outbox {
  if (transport) {
    const send = (job: Job<Posted>) => deliver(job, { database, door, flags, log, secrets, transport })
    jobs.work<Posted>(firstQueue, send, { parallel: parallel.first })
    jobs.work<Posted>(queue, send, { parallel: parallel.others })
  }

  return {
    async post(tx, { workspace, kind, to, speech, letter, attachments = [] }) {
      const id = uuid()
      const mail = written(letter, workspace, speech)
      const told = letter.code ? mail.subject.replaceAll(letter.code, '••••••') : mail.subject
      await query(tx, {
        text: `insert into portal.client_outbox (workspace_id, id, kind, person_id, recipient, subject, sealed, sent_at)
               values ($1, $2, $3, $4, $5, $6, $7, case when $5 = '' then portal.now() end)`,
        values: [
          ...[workspace.id, id, kind, to?.person ?? null, to?.email ?? '', told],
          seal(JSON.stringify({ ...mail, from: workspace.name, attachments }), secrets, 'mail'),
        ],
      })
      const its = lettingIn.includes(kind) ? firstQueue : queue
      await jobs.send(tx, its, { workspace: workspace.id, slug: workspace.slug, id } satisfies Posted)
    },
    wake: jobs.wake,
  }
}

interface Posted {
  workspace: string
  slug: string
  id: string
}

interface Row {
  recipient: string
  /** Whether other instances have had long enough to send it. */
  old: boolean
  sealed: Buffer
}

async function deliver({ data, retryCount, retryLimit }: Job<Posted>, parts: Omit<Parts, 'jobs'>) {
  const { database, door, flags, log, secrets, transport } = parts
  const { workspace, slug, id } = data
  if (!flags.enabled(slug) || !(await door.opened())) throw new Error(`The portal of ${slug} is switched off.`)
  const change = (set: string, values: unknown[] = []) =>
    within(database, { workspace }, tx =>
      query<Row>(tx, {
        text: `update portal.client_outbox set ${set} where workspace_id = $1 and id = $2 and sent_at is null
               and sealed is not null
               returning recipient, sealed, created_at < portal.now() - interval '1 hour' as old`,
        values: [workspace, id, ...values],
      }),
    )

  const [row] = await change('tries = tries + 1')
  if (!row) return
  const opened = unseal(row.sealed, secrets, 'mail')
  if (!opened && !row.old) {
    door.look().catch(() => undefined)
    throw new ForOthers(`The mail ${id} is sealed with another secret.`)
  }
  if (!opened) {
    log.error({ workspace, mail: id }, 'a mail is lost: it was sealed with a secret that no instance has')
    await change(`failed_at = portal.now(), sealed = null, error = 'sealed with another secret'`)
    return
  }
  const mail: Written & { from: string; attachments?: Attachment[] } = JSON.parse(opened)
  try {
    await transport?.({ id, to: row.recipient, ...mail })
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
