import type { Knex } from 'knex'
import { suspendedSql } from '../auth/identity.ts'
import { portalOffSql } from '../auth/portal-switch.ts'
import { readWithin } from '../platform/database.ts'

/** Clients of whom somebody can sign in, by name, or those whose name has these words. */
export const clientsWithPeople = (
  database: Knex,
  workspace: string,
  { search = '', size = 50 }: { search?: string; size?: number },
): Promise<{ id: string; name: string }[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.clients-with-people',
      text: `select m.client_id as id, max(m.client_name) as name from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and not ${suspendedSql} and not ${portalOffSql('m')} and ($3 = '%%' or m.client_name ilike $3)
             group by m.client_id order by lower(max(m.client_name)), 1 limit $4`,
      values: [`%${search.replace(/[\\%_]/g, '\\$&')}%`, size],
    },
  )

/** Of these clients, how many people with these roles can sign in. */
export const peopleCounts = (
  database: Knex,
  workspace: string,
  { clients, roles }: { clients: string[]; roles: string[] },
): Promise<{ client: string; people: number }[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.people-of-clients',
      text: `select m.client_id as client, count(*)::int as people from portal.client_memberships m
               join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and not ${suspendedSql} and not ${portalOffSql('m')} and m.client_id = any ($3) and m.role = any ($4)
             group by m.client_id`,
      values: [clients, roles],
    },
  )
