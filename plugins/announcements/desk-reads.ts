import type { Knex } from 'knex'
import { z } from 'zod'
import { suspendedSql } from '../../src/auth/identity.ts'
import { portalOffSql } from '../../src/auth/portal-switch.ts'
import { NotFound } from '../../src/http/errors.ts'
import { keyOf, type Page, page } from '../../src/http/paging.ts'
import { readWithin } from '../../src/platform/database.ts'

export const shows = ['current', 'planned', 'ended', 'withdrawn'] as const
export type Show = (typeof shows)[number]

/** As staff see it. */
export interface StaffAnnouncement {
  id: string
  title: string
  text: string
  important: boolean
  /** Plain dates, by the workspace's calendar. */
  startsOn: string
  endsOn: string | null
  /** Null for all. */
  clientIds: string[] | null
  roles: string[] | null
  revision: number
  by: string
  at: Date
  withdrawnBy: string | null
  status: Show
  /** How many people have read it. */
  readers: number
}

/** By the workspace's date, $3. */
const statusSql = `case when a.withdrawn_at is not null then 'withdrawn' when a.starts_on > $3::date then 'planned'
  when a.ends_on < $3::date then 'ended' else 'current' end`

const columns = `a.id::text, a.title, a.text, a.important, a.starts_on::text as "startsOn",
  nullif(a.ends_on, 'infinity')::text as "endsOn", a.client_ids as "clientIds", a.roles, a.revision, a.by_name as by, a.at,
  a.withdrawn_by as "withdrawnBy", ${statusSql} as status, (
    select count(distinct r.person_id)::int from portal.client_announcement_reads r
    where r.workspace_id = a.workspace_id and r.announcement_id = a.id) as readers`

const conditions: Record<Show, string> = {
  current: 'a.withdrawn_at is null and a.starts_on <= $3::date and a.ends_on >= $3::date',
  planned: 'a.withdrawn_at is null and a.starts_on > $3::date',
  ended: 'a.withdrawn_at is null and a.ends_on < $3::date',
  withdrawn: 'a.withdrawn_at is not null',
}

interface Place {
  workspace: string
  /** The date at the workspace. */
  today: string
}

/** Newest first. */
export async function listAnnouncements(
  database: Knex,
  { workspace, today }: Place,
  { show, after, size }: { show: Show; after?: string | undefined; size: number },
): Promise<Page<StaffAnnouncement>> {
  const [on, id] = keyOf(after, z.tuple([z.iso.date(), z.uuid()])) ?? []
  const rows = await readWithin<StaffAnnouncement>(
    database,
    { workspace },
    {
      name: `portal.staff-announcements-${show}`,
      text: `select ${columns} from portal.client_announcements a
             where a.workspace_id = scope.workspace and ${conditions[show]}
               and ($4::date is null or (a.starts_on, a.id) < ($4::date, $5::uuid))
             order by a.starts_on desc, a.id desc limit $6`,
      values: [today, on ?? null, id ?? null, size + 1],
    },
  )
  return page(rows, size, it => [it.startsOn, it.id])
}

/** Throws NotFound, also for one of another workspace. */
export async function announcementOf(database: Knex, { workspace, today }: Place, id: string) {
  const [found] = await readWithin<StaffAnnouncement>(
    database,
    { workspace },
    {
      text: `select ${columns} from portal.client_announcements a where a.workspace_id = scope.workspace and a.id::text = $4`,
      values: [today, id],
    },
  )
  if (!found) throw new NotFound()
  return found
}

export interface Reader {
  name: string
  client: string
  at: Date
  dismissed: boolean
}

/** Who has read it, the latest first. */
export const readersOf = (database: Knex, workspace: string, id: string, size: number): Promise<Reader[]> =>
  readWithin<Reader>(
    database,
    { workspace },
    {
      text: `select coalesce(u.name, '–') as name, coalesce(m.client_name, '–') as client, r.read_at as at,
               r.dismissed_at is not null as dismissed
             from portal.client_announcement_reads r
               left join portal.client_users u on u.workspace_id = r.workspace_id and u.id::text = r.person_id
               left join portal.client_memberships m on m.workspace_id = r.workspace_id and m.person_id = u.id
                 and m.client_id = r.client_id
             where r.workspace_id = scope.workspace and r.announcement_id = $3::uuid
             order by r.read_at desc, r.person_id limit $4`,
      values: [id, size],
    },
  )

export interface Reach {
  people: number
  clients: number
}

/** Whom it is for: all clients and roles where these are null. `able` are the roles that may see announcements at all. */
export interface Audience {
  clientIds: string[] | null
  roles: string[] | null
}

/** How many people it reaches: who can sign in, and for whom announcements are not switched off. */
export async function reachOf(database: Knex, workspace: string, { clientIds, roles }: Audience, able: string[]) {
  const [row] = await readWithin<Reach>(
    database,
    { workspace },
    {
      name: 'portal.announcements-reach',
      text: `select count(distinct m.person_id)::int as people, count(distinct m.client_id)::int as clients
             from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.role = any ($3)
               and ($4::text[] is null or m.client_id = any ($4)) and not ${suspendedSql} and not ${portalOffSql('m')}
               and coalesce((
                 select s.value from portal.client_portal_settings s
                 where s.workspace_id = m.workspace_id and s.name = 'announcements'
                   and s.client_id in ('', m.client_id) and s.person_id in ('', m.person_id::text)
                 order by s.person_id desc, s.client_id desc limit 1), 'true') <> 'false'`,
      values: [able.filter(it => !roles || roles.includes(it)), clientIds],
    },
  )
  return row!
}
