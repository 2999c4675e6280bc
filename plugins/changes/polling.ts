import { type CoreHost, coreHostOf } from '../../src/auth/host.ts'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import type { BrandedWorkspace } from '../../src/crm/workspaces.ts'
import { CrmUnavailable } from '../../src/http/errors.ts'
import { bySystem, insert } from '../../src/platform/activity.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { drifted, query, readWithin, unreachable, within } from '../../src/platform/database.ts'
import type { Host, Job } from '../../src/plugin/plugin.ts'
import { type Looking, lookAt, lookingAt, type Watched, watched } from './looking.ts'

/** So many changed records are read at once. */
const size = 50
/** So many in a row; more than these at once are a restored database or a mass change, and are passed over. */
const mostAtOnce = 1_000
/** So many records are read in a minute where the CRM does not say what changed. */
const mostInRounds = 50
/** So many of a client's newest records are looked at. */
const newest = 5
/** What was committed late is looked for so many seconds after the mark has moved. */
const lateSeconds = 120

/** Looks once a minute for what the CRM made or changed, and tells the people whom it concerns. */
export const pollChanges: Job = {
  every: 60,
  async work({ workspace: { id, slug } }, host) {
    const core = coreHostOf(host)
    const { activation, capability, log, workspaces } = core
    if (!capability('notifications') || !activation.isComplete()) return undefined
    try {
      const workspace = await workspaces.find(slug)
      if (workspace?.id !== id) return undefined
      const sections = watched(host.plugins)
      const silent: Watched[] = []
      for (const section of sections) if (!(await follow(host, workspace, section))) silent.push(section)
      for (const section of silent) await goRound(host, workspace, section, Math.floor(mostInRounds / silent.length))
      core.mailContext?.outbox.wake()
    } catch (err) {
      if (!isDown(err)) throw err
      log.warn({ err, workspace: slug }, 'the CRM does not answer; what it changed is told later')
    }
    return undefined
  },
}

const isDown = (error: unknown) => unreachable(error) || drifted(error) || error instanceof CrmUnavailable

interface Mark {
  mark: string
  /** Whether it has moved lately, and not as it began: what was there before that is old. */
  recent: boolean
  began: Date
}

/** Whether the CRM says what changed. The mark moves when all of it was told: what is told twice is told once. */
async function follow(host: Host, workspace: BrandedWorkspace, section: Watched): Promise<boolean> {
  const find = coreHostOf(host).crm.changes?.[section.name]
  if (!find) return false
  const { mark, recent, began } = await markOf(host, workspace.id, section.name)
  const seen = new Map<string, Looking | undefined>()
  let since = mark
  for (let read = 0; ; ) {
    const changes = await find(workspace, { since, recent: recent && read === 0, size })
    if (!changes) return false
    read += changes.items.length
    if (read > mostAtOnce) {
      await passOver(host, workspace, section, read)
      return true
    }
    for (const { id, client } of changes.items) {
      if (!seen.has(client)) seen.set(client, await known(host, { workspace, section, client, began }))
      const looking = seen.get(client)
      if (looking) await lookAt(looking, id)
    }
    await moveMark(host, workspace.id, section.name, changes.next)
    since = changes.next
    if (changes.items.length < size) return true
  }
}

/** Those of a client; where records do not say since when they are so, what is there at first counts as known. */
async function known(host: Host, where: Parameters<typeof lookingAt>[1]): Promise<Looking | undefined> {
  const looking = await lookingAt(host, where)
  if (looking && where.section.subject.changed.undated) await beginWith(looking)
  return looking
}

async function beginWith(looking: Looking): Promise<void> {
  const { host, workspace, section, client, readers } = looking
  if (!(await isFirst(host, workspace.id, { client, section: section.name }))) return
  for (const { ports } of readers)
    for (const id of await section.subject.changed.newest(ports, size)) await lookAt(looking, id, true)
}

/** Goes through the clients one after the other, and looks at the newest records of each. */
async function goRound(host: Host, workspace: BrandedWorkspace, section: Watched, rows: number): Promise<void> {
  const { began } = await markOf(host, workspace.id, section.name)
  for (const client of await nextClients(coreHostOf(host), workspace.id, section.name, Math.max(rows / newest, 1))) {
    const looking = await known(host, { workspace, section, client, began })
    const ids = new Set<string>()
    for (const { ports } of looking?.readers.slice(0, 1) ?? [])
      for (const id of await section.subject.changed.newest(ports, newest)) ids.add(id)
    if (looking) for (const id of ids) await lookAt(looking, id)
    await within(host.database, { workspace: workspace.id }, tx =>
      query(tx, {
        text: `insert into portal.client_change_rounds (workspace_id, client_id, section) values ($1, $2, $3)
               on conflict (workspace_id, client_id, section) do update set looked_at = portal.now()`,
        values: [workspace.id, client, section.name],
      }),
    )
  }
}

/** Clients with people, those first that were not looked at for the longest time. */
async function nextClients(
  { database }: CoreHost,
  workspace: string,
  section: string,
  most: number,
): Promise<string[]> {
  const rows = await readWithin<{ client: string }>(
    database,
    { workspace },
    {
      text: `select m.client_id as client from portal.client_memberships m
               left join portal.client_change_rounds r
                 on r.workspace_id = m.workspace_id and r.client_id = m.client_id and r.section = $3
             where m.workspace_id = scope.workspace and not ${portalOffSql('m')}
             group by m.client_id, r.looked_at order by r.looked_at nulls first, m.client_id limit $4`,
      values: [section, Math.floor(most)],
    },
  )
  return rows.map(it => it.client)
}

/** Whether nobody has looked at this client's records before. */
async function isFirst(
  { database }: Host,
  workspace: string,
  of: { client: string; section: string },
): Promise<boolean> {
  const rows = await within(database, { workspace }, tx =>
    query(tx, {
      text: `insert into portal.client_change_rounds (workspace_id, client_id, section) values ($1, $2, $3)
             on conflict do nothing returning 1`,
      values: [workspace, of.client, of.section],
    }),
  )
  return rows.length > 0
}

/** The section's mark; empty where it is looked at for the first time. */
export async function markOf({ database }: Host, workspace: string, section: string): Promise<Mark> {
  const [row] = await within(database, { workspace }, tx =>
    query<Mark>(tx, {
      text: `insert into portal.client_change_marks as m (workspace_id, section) values ($1, $2)
             on conflict (workspace_id, section) do update set looked_at = portal.now()
             returning m.mark, m.began_at as began, m.moved_at > portal.now() - interval '${lateSeconds} seconds'
               and m.began_at < portal.now() - interval '${lateSeconds} seconds' as recent`,
      values: [workspace, section],
    }),
  )
  return row ?? { mark: '', recent: false, began: currentTime(database) }
}

const moveMark = ({ database }: Host, workspace: string, section: string, mark: string) =>
  within(database, { workspace }, tx =>
    query(tx, {
      text: `update portal.client_change_marks set mark = $3, moved_at = portal.now()
             where workspace_id = $1 and section = $2 and mark <> $3`,
      values: [workspace, section, mark],
    }),
  )

/** Nobody is told of a flood: it is noted for staff, and everything after it is told again. */
async function passOver(host: Host, workspace: BrandedWorkspace, section: Watched, count: number): Promise<void> {
  const find = coreHostOf(host).crm.changes![section.name]!
  const last = await find(workspace, { since: '', recent: false, size })
  await moveMark(host, workspace.id, section.name, last?.next ?? '')
  host.log.warn({ workspace: workspace.slug, section: section.name, count }, 'too many records changed; nobody is told')
  await within(host.database, { workspace: workspace.id }, tx =>
    insert(tx, [bySystem(workspace.id, { event: 'changes.passed-over', subject: { label: section.title, count } })]),
  )
}
