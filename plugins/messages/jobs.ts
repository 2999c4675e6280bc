import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { excerptOf } from '../../src/mail/content.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { query, within } from '../../src/platform/database.ts'
import { localeOf } from '../../src/platform/i18n.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { beforeText } from './mails.ts'

/** Seconds: after which people are mailed of what they have not read; while more comes, it waits, no longer than this. */
const patience = { quiet: 60, most: 600 }

interface Place {
  workspace: { id: string; slug: string }
  client: string
  thread: string
}

/** Queues the mails about a new message, in its transaction. */
export const queueTelling = (tx: Knex, host: Host, { workspace, client, thread }: Place) =>
  host.jobs.queue(tx, {
    ...{ job: 'messages.tell', workspace: { id: workspace.id, slug: workspace.slug } },
    ...{ data: { client, thread }, seconds: patience.quiet },
  })

export const jobs: Record<`messages.${string}`, Job> = {
  /** Tells the client's people who take part what they have not read. */
  'messages.tell': {
    async work({ workspace, data }, host) {
      await tell(host, { workspace, client: data.client, thread: data.thread })
      return undefined
    },
  },
}

async function tell(host: Host, place: Place): Promise<void> {
  const { workspaces, mailContext, database } = coreHostOf(host)
  const workspace = await workspaces.find(place.workspace.slug)
  if (workspace?.id !== place.workspace.id) return
  const people = await readersOf(host, workspace, place.client)
  if (!people.length) return
  await within(database, { workspace: workspace.id }, async tx => {
    const thread = await locked(tx, place)
    if (!thread) return
    for (const reader of people) await tellOne(tx, host, { ...place, ...thread, workspace, reader })
  })
  mailContext?.outbox.wake()
}

/** Who of a client may read messages now. Asks the CRM who has left. */
async function readersOf(host: Host, workspace: BrandedWorkspace, client: string): Promise<RecipientOf[]> {
  const { crm, database, plugins } = coreHostOf(host)
  const section = plugins.find(it => it.name === 'messages')!
  const rights = await rightsOf(database, workspace.id)
  const { of, still } = await recipientsAt({ crm, database, sections: plugins }, { workspace, client, rights })
  return still(of({ section, may: ['see'], on: [] }))
}

/** The conversation, if it is quiet, or has not been for long: two instances do not mail at once. */
async function locked(tx: Knex, { workspace, client, thread }: Place): Promise<{ title: string } | undefined> {
  const [row] = await query<{ title: string }>(tx, {
    text: `select t.title from portal.client_message_threads t
           where t.workspace_id = $1 and t.client_id = $2 and t.id::text = $3
             and (t.last_at <= portal.now() - interval '${patience.quiet - 5} seconds' or exists (
               select from portal.client_messages m
               where m.workspace_id = t.workspace_id and m.thread_id = t.id and m.at <= portal.now() - interval '${patience.most} seconds'
                 and m.seq > (select min(greatest(r.read_to, r.told_to)) from portal.client_message_readers r
                   where r.workspace_id = t.workspace_id and r.client_id = t.client_id and r.thread_id = t.id::text
                     and r.kind = 'client' and r.follows)))
           for update`,
    values: [workspace.id, client, thread],
  })
  return row
}

interface Telling extends Omit<Place, 'workspace'> {
  workspace: BrandedWorkspace
  title: string
  reader: RecipientOf
}

interface New {
  seq: number
  name: string
  kind: 'client' | 'staff'
  text: string
  files: string[]
}

/** So many earlier messages are in one mail. */
const quoted = 4

/** Each message once: how far somebody was told and the mail that tells it are one transaction. */
async function tellOne(tx: Knex, host: Host, { workspace, client, thread, title, reader }: Telling): Promise<void> {
  const news = await query<New>(tx, {
    text: `select m.seq, m.author_name as name, m.author_kind as kind, m.text, coalesce((
               select array_agg(f.name order by f.id) from portal.client_message_files a
                 join portal.client_files f on f.workspace_id = a.workspace_id and f.id = a.file_id
               where a.workspace_id = m.workspace_id and a.message_id = m.id), '{}') as files
           from portal.client_message_readers r join portal.client_messages m
             on m.workspace_id = r.workspace_id and m.thread_id::text = r.thread_id and m.seq > greatest(r.read_to, r.told_to)
           where r.workspace_id = $1 and r.client_id = $2 and r.thread_id = $3 and r.kind = 'client' and r.person_id = $4
             and r.follows and not (m.author_kind = 'client' and m.author_id = $4)
           order by m.seq desc limit 100`,
    values: [workspace.id, client, thread, reader.id],
  })
  const [newest, ...others] = news
  if (!newest) return
  await query(tx, {
    text: `update portal.client_message_readers set told_to = $5
           where workspace_id = $1 and client_id = $2 and thread_id = $3 and kind = 'client' and person_id = $4`,
    values: [workspace.id, client, thread, reader.id, newest.seq],
  })
  const before = others.filter(it => it.text).slice(0, quoted)
  const mail = async () => {
    const replyTo = await replyAddress(tx, host, { workspace: workspace.id, client, thread, reader })
    return {
      facts: {
        ...{ name: newest.name, title, count: news.length, text: excerptOf(newest.text, 4_000) },
        files: news.flatMap(it => it.files).join(', '),
        ...(newest.kind === 'client' && { colleague: 'yes' }),
        ...(before.length && { before: beforeText(before.map(it => ({ by: it.name, text: excerptOf(it.text) }))) }),
        ...(replyTo && { reply: 'yes' }),
      },
      replyTo,
    }
  }
  const text = excerptOf(newest.text, 140) || newest.files.join(', ')
  await notifyPeople(tx, host, { portal: { workspace, locale: localeOf('') } }, [reader], {
    kind: 'messages.received',
    record: { client, section: 'messages', id: thread },
    facts: { name: newest.name, title, text },
    mail,
  })
}

interface Replying {
  workspace: string
  client: string
  thread: string
  reader: RecipientOf
}

const replyAddress = (tx: Knex, host: Host, { workspace, client, thread, reader }: Replying) => {
  const by = { kind: 'client', id: reader.id, name: reader.name, email: reader.email } as const
  return host.capability('mailReplies')?.addressFor(tx, { workspace, client, kind: 'messages', id: thread, by })
}
