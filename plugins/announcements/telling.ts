import type { Knex } from 'knex'
import { coreHostOf } from '../../src/auth/host.ts'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import { recipientsAt } from '../../src/auth/recipients.ts'
import { type Rights, rightsOf } from '../../src/auth/roles.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'
import { notifyPeople } from '../../src/notifications/notify.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { readWithin, within } from '../../src/platform/database.ts'
import { dayBegins } from '../../src/platform/dates.ts'
import { dateIn, localeOf, zoneOf } from '../../src/platform/i18n.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { announcementOf, type StaffAnnouncement } from './desk-reads.ts'

/** So many clients are told by one job before it queues the next. */
const most = 50

interface Starting {
  id: string
  /** A plain date of the workspace. */
  startsOn: string
}

/** Queues that people are told when it starts, in the transaction that publishes it. */
export async function queueTelling(
  tx: Knex,
  host: Host,
  { id, slug, timeZone }: BrandedWorkspace,
  announcement: Starting,
): Promise<void> {
  const begins = dayBegins(announcement.startsOn, zoneOf(timeZone)).getTime()
  const seconds = Math.max(Math.ceil((begins - currentTime(host.database).getTime()) / 1_000), 0)
  const job = { job: 'announcements.tell', workspace: { id, slug }, data: { id: announcement.id }, seconds }
  await host.jobs.queue(tx, job)
}

/** Tells those for whom an announcement is, once, while it is to be seen. */
export const tellAnnouncement: Job = {
  async work({ workspace: { id, slug }, data }, host) {
    const core = coreHostOf(host)
    const workspace = await core.workspaces.find(slug)
    if (workspace?.id !== id) return undefined
    const today = dateIn(zoneOf(workspace.timeZone), currentTime(host.database))
    const it = await announcementOf(host.database, { workspace: id, today }, data.id).catch(noneIfGone)
    // One whose first day was moved has another job.
    if (it?.status !== 'current') return undefined
    const clients = await clientsAfter(host, id, it, data.after ?? '')
    const rights = await rightsOf(host.database, id)
    for (const client of clients) await tellClient(host, workspace, { announcement: it, client, rights })
    core.mailContext?.outbox.wake()
    return clients.length === most ? { id: data.id, after: clients.at(-1) } : undefined
  },
}

function noneIfGone(error: unknown): undefined {
  if (!(error instanceof NotFound)) throw error
}

async function clientsAfter({ database }: Host, workspace: string, { clientIds }: StaffAnnouncement, after: string) {
  const rows = await readWithin<{ client: string }>(
    database,
    { workspace },
    {
      text: `select distinct m.client_id as client from portal.client_memberships m
             where m.workspace_id = scope.workspace and m.client_id > $3 and ($4::text[] is null or m.client_id = any($4))
               and not ${portalOffSql('m')} order by 1 limit ${most}`,
      values: [after, clientIds],
    },
  )
  return rows.map(it => it.client)
}

interface Told {
  announcement: StaffAnnouncement
  client: string
  rights: Rights
}

async function tellClient(host: Host, workspace: BrandedWorkspace, { announcement, client, rights }: Told) {
  const { crm, database, plugins: sections } = coreHostOf(host)
  const section = sections.find(it => it.name === 'announcements')!
  const people = await recipientsAt({ crm, database, sections }, { workspace, client, rights })
  const { id, title, roles } = announcement
  const readers = (await people.still(people.of({ section, may: ['see'], on: [] }))).filter(
    it => !roles || roles.includes(it.role),
  )
  await within(database, { workspace: workspace.id }, tx =>
    notifyPeople(tx, host, { portal: { workspace, locale: localeOf('') } }, readers, {
      kind: 'announcements.published',
      record: { client, section: 'announcements', id },
      facts: { title },
      key: id,
    }),
  )
}
