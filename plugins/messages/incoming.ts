import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import type { Workspace } from '../../src/crm/crm.ts'
import { attach, clientLimits } from '../../src/files/attachments.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { insert } from '../../src/platform/activity.ts'
import { query } from '../../src/platform/database.ts'
import { queueFollowUps } from '../../src/plugin/action.ts'
import type { MailReply, Refusal } from '../../src/plugin/parts.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { adminsOf } from '../../src/settings/admins.ts'
import { queueTelling } from './jobs.ts'
import { keepMessage } from './keep.ts'
import { hasRoom } from './pages.ts'
import { ofMessage } from './store.ts'

/** A reply by mail becomes a message of its conversation, where its sender could write one now. */
export async function takeReply(tx: Knex, reply: MailReply, host: Host): Promise<'taken' | Refusal> {
  const { workspace: place, client, by } = reply
  const workspace = await coreHostOf(host).workspaces.find(place.slug)
  if (workspace?.id !== place.id || !(await thereIs(tx, reply))) return 'gone'
  if (!(await mayWrite(tx, host, workspace, reply))) return 'not-allowed'
  if (by.kind === 'client' && !(await hasRoom(tx, { workspace: place.id, client, person: by.id }))) return 'too-many'
  try {
    // A savepoint: what is refused leaves nothing in the transaction of whoever holds it then.
    await tx.transaction(inner => store(inner, reply, host))
    return 'taken'
  } catch (error) {
    if (error instanceof NotFound) return 'gone'
    if (error instanceof Invalid) return 'no-space'
    throw error
  }
}

async function store(tx: Knex, reply: MailReply, host: Host): Promise<void> {
  const { workspace, client, by, id: thread, text, files, key } = reply
  const of = { workspace: workspace.id, client }
  const stored = await keepMessage(tx, { ...of, thread, id: key, by, text: text.slice(0, 10_000), byMail: true })
  if (stored.repeated) return
  const { space: most } = await clientLimits(host, workspace.id)
  await attach(tx, host, { ...ofMessage, id: key, workspace, client, by, most, typed: {} }, files)
  await record(tx, host, reply, stored.title)
  await queueTelling(tx, host, { workspace, client, thread })
}

async function thereIs(tx: Knex, { workspace, client, id }: MailReply): Promise<boolean> {
  const rows = await query(tx, {
    text: `select from portal.client_message_threads where workspace_id = $1 and client_id = $2 and id::text = $3`,
    values: [workspace.id, client, id],
  })
  return rows.length > 0
}

/**
 * As it is now: a person with the right to write, or an admin of the workspace with this address. Only the CRM is asked
 * outside of the transaction, so that many replies at once do not wait for each other's connections.
 */
async function mayWrite(tx: Knex, host: Host, workspace: Workspace, { client, by }: MailReply): Promise<boolean> {
  const { crm, plugins } = coreHostOf(host)
  if (by.kind === 'staff') {
    const admins = await adminsOf({ crm, database: tx }, workspace)
    return admins.some(it => it.email === by.id)
  }
  const section = plugins.find(it => it.name === 'messages')!
  const rights = await rightsOf(tx, workspace.id)
  const { of, still } = await recipientsAt({ crm, database: tx, sections: plugins }, { workspace, client, rights })
  const people = await still(of({ section, may: ['see', 'write'], on: [] }))
  return people.some(it => it.id === by.id)
}

async function record(tx: Knex, host: Host, { workspace, client, by, id, key }: MailReply, title: string) {
  const event = by.kind === 'client' ? 'messages.written' : 'messages.answered'
  const [entry] = await insert(tx, [
    {
      ...{ workspace_id: workspace.id, event, actor_kind: by.kind, actor_id: by.id, actor_name: by.name },
      ...{ client_id: client, subject_id: id, address: null, agent: null },
      subject: { id, number: title, message: key, mail: 'yes' },
    },
  ])
  if (by.kind === 'client' && entry) await queueFollowUps(tx, host, { workspace, event, entry: entry.id })
}
