import type { Knex } from 'knex'
import type { Role } from '../crm/crm.ts'
import { readWithin } from '../platform/database.ts'
import type { SettingRow } from '../plugin/toggles.ts'

/** A person with access to one client. */
export interface Member {
  person: string
  name: string
  email: string
  suspended: boolean
  client: string
  clientName: string
  role: Role
  /** Of the workspace, the client and the person. */
  settings: SettingRow[]
}

const members = `
  select u.id::text as person, u.name, u.email, u.suspended_at is not null as suspended, m.role,
    m.client_id as client, m.client_name as "clientName",
    (select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
     from portal.client_portal_settings t
     where t.workspace_id = m.workspace_id and t.client_id in ('', m.client_id)
       and t.person_id in ('', m.person_id::text)) as settings
  from portal.client_memberships m join portal.client_users u
    on u.workspace_id = m.workspace_id and u.id = m.person_id
  where m.workspace_id = scope.workspace`

/** Finds people by name, address or client, once for each client that they have; the best match first. */
export const membersLike = (database: Knex, workspace: string, search: string): Promise<Member[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.members-like',
      text: `${members} and (u.name ilike $3 or u.email ilike $3 or m.client_name ilike $3)
             order by lower(u.email) = lower($4) desc, lower(u.name) = lower($4) desc, u.name, m.client_name limit 20`,
      values: [`%${search.replace(/[\\%_]/g, '\\$&')}%`, search],
    },
  )

/** Undefined for who has no access to this client. */
export async function findMember(
  database: Knex,
  workspace: string,
  { client, person }: { client: string; person: string },
): Promise<Member | undefined> {
  const [found] = await readWithin<Member>(
    database,
    { workspace },
    {
      name: 'portal.member',
      text: `${members} and m.client_id = $3 and m.person_id::text = $4`,
      values: [client, person],
    },
  )
  return found
}
