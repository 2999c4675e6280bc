import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { type RecipientOf, recipientsAt } from '../../src/auth/recipients.ts'
import { rightsOf } from '../../src/auth/roles.ts'
import { attach, clientLimits } from '../../src/files/attachments.ts'
import { Invalid, NotFound } from '../../src/http/errors.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { dateIn, localeOf, speak, zoneOf } from '../../src/platform/i18n.ts'
import { queueFollowUps } from '../../src/plugin/action.ts'
import type { MailReply, Refusal } from '../../src/plugin/parts.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import type { SubjectRecord } from '../../src/plugin/subjects.ts'
import { hasRoom, keep, ofComment } from './comments.ts'

/** What replies are about: a record of a section. */
const recordId = (section: string, id: string) => `${section}/${id}`

interface Reader {
  workspace: string
  client: string
  section: string
  id: string
  person: { id: string; name: string; email: string }
}

/** Where this person's reply to a mail about a record goes; undefined where none is received. */
export const replyAddress = (tx: Knex, { capability }: Host, { workspace, client, section, id, person }: Reader) =>
  capability('mailReplies')?.addressFor(tx, {
    ...{ workspace, client, kind: 'comments', id: recordId(section, id) },
    by: { kind: 'client', ...person },
  })

/** A reply becomes a comment of the person, if they may still ask there. */
export async function takeReply(tx: Knex, reply: MailReply, host: Host): Promise<'taken' | Refusal> {
  const { workspace, client, by, files, id: of } = reply
  const slash = of.indexOf('/')
  const section = host.plugins.find(it => it.name === of.slice(0, slash))
  if (!section?.subject) return 'gone'
  const asker = by.kind === 'client' ? await askerOf(tx, host, section, reply) : undefined
  if (!asker) return 'not-allowed'
  const about = await recordFor(tx, host, section, { ...reply, id: of.slice(slash + 1) }, asker)
  if (!about) return 'gone'
  if ((await hasRoom(tx, workspace.id, asker.id)) !== true) return 'too-many'
  const whose = { workspace: workspace.id, client: { id: client, name: asker.client }, section: section.name }
  const text = reply.text || files.map(it => it.name).join(', ')
  const { id, number } = about
  const comment = await keep(tx, { ...whose, id, number, line: null, by: 'client', author: asker, text })
  const { space: most } = await clientLimits(host, workspace.id)
  const attached = {
    workspace,
    client,
    by: { kind: 'client', id: asker.id, name: asker.name },
    id: comment,
    most,
  } as const
  try {
    await attach(tx, host, { ...ofComment, ...attached, typed: {} }, files)
  } catch (error) {
    if (error instanceof Invalid) return 'no-space'
    throw error
  }
  await recordComment(tx, host, reply, `${section.name}.commented`, { id, number, comment })
  return 'taken'
}

/** The person, if they may ask about records of this section. */
async function askerOf(tx: Knex, host: Host, section: Section, { workspace: { id, slug }, client, by }: MailReply) {
  const { crm, plugins, workspaces } = coreHostOf(host)
  const workspace = await workspaces.find(slug)
  if (workspace?.id !== id) return undefined
  const rights = await rightsOf(tx, id)
  const { of } = await recipientsAt({ crm, database: tx, sections: plugins }, { workspace, client, rights })
  return of({ section, may: ['see', 'comment'], on: ['questions'] }).find(it => it.id === by.id)
}

/** The record as this person sees it; undefined for one that is not there any more. */
async function recordFor(
  tx: Knex,
  host: Host,
  { subject }: Section,
  { workspace: { slug }, client, id }: MailReply,
  { role, ...asker }: RecipientOf,
): Promise<SubjectRecord | undefined> {
  const { activation, crm, database, workspaces } = coreHostOf(host)
  const workspace = (await workspaces.find(slug))!
  const zone = zoneOf(workspace.timeZone)
  const { id: person, name, email } = asker
  const today = dateIn(zone, currentTime(database))
  const customer = {
    workspace,
    client: { id: client, name: asker.client },
    person: { id: person, name, email },
    role,
    today,
  }
  // A CRM in another database cannot join the transaction.
  const here = crm.database === undefined || crm.database === database
  const own = tx as Knex.Transaction
  const ports = activation.availablePorts(crm.connect(customer, here ? own : undefined, own))
  return subject!.find(ports, id, speak(`${localeOf(asker.language ?? '')}|${zone}`)).catch((error: unknown) => {
    if (!(error instanceof NotFound)) throw error
    return undefined
  })
}

/** As if it had been asked in the portal: others are told of it in the same way. */
async function recordComment(
  tx: Knex,
  { jobs, plugins }: Host,
  { workspace, client, by }: MailReply,
  event: string,
  subject: { id: string; number: string; comment: string },
): Promise<void> {
  const actor = { actor_kind: 'client', actor_id: by.id, actor_name: by.name }
  const [entry] = await insert(tx, [{ ...bySystem(workspace.id, { event, subject }, client), ...actor }])
  await queueFollowUps(tx, { plugins, jobs }, { workspace, event, entry: entry!.id })
}
