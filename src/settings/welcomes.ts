import type { Knex } from 'knex'
import type { Role } from '../crm/crm.ts'
import { readWithin } from '../platform/database.ts'

/** How one person came to one client: the mail that invited them, and when they opened the portal. */
export interface Welcome {
  /** Undefined for who was invited and has no account yet. */
  person: string | undefined
  name: string
  email: string
  photo: string | null
  suspended: boolean
  client: string
  clientName: string
  role: Role
  /** When the newest invitation was made; undefined for who was never invited. */
  invitedAt: Date | undefined
  /** When the mail server accepted its mail. */
  mailedAt: Date | undefined
  /** Whether its mail was refused. */
  failed: boolean
  /** Whether its link still works. */
  open: boolean
  firstVisit: Date | undefined
  lastVisit: Date | undefined
}

interface Whose {
  client?: string
  person?: string
}

/** Of all people of a client, or of one person at all of their clients; who has no account yet is included for a client. */
export const welcomesOf = (database: Knex, workspace: string, { client, person }: Whose): Promise<Welcome[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.welcomes',
      text: `${members} union all ${invitees} order by "clientName", name limit 200`,
      values: [client ?? null, person ?? null],
    },
  )

const mail = `i.created_at as "invitedAt", i.mailed_at as "mailedAt",
  exists (select from portal.client_outbox o
          where o.workspace_id = scope.workspace and o.id = i.mail_id and o.failed_at is not null) as failed,
  coalesce(i.used_at is null and i.revoked_at is null and i.expires_at > portal.now(), false) as open`

const members = `
  select u.id::text as person, u.name, u.email, u.photo_version as photo, u.suspended_at is not null as suspended,
    m.client_id as client, m.client_name as "clientName", m.role, ${mail},
    v.first_at as "firstVisit", v.last_at as "lastVisit"
  from portal.client_memberships m
    join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
    left join portal.client_visits v on v.workspace_id = m.workspace_id and v.person_id = m.person_id
    left join lateral (
      select * from portal.client_invitations i
      where i.workspace_id = m.workspace_id and i.client_id = m.client_id and i.email in (
        select e.email from portal.client_emails e where e.workspace_id = m.workspace_id and e.person_id = m.person_id)
      order by i.created_at desc limit 1) i on true
  where m.workspace_id = scope.workspace and m.client_id = coalesce($3, m.client_id)
    and ($4::text is null or m.person_id::text = $4)`

const invitees = `
  select null, i.name, i.email, null, false, i.client_id, i.client_name, i.role, ${mail}, null, null
  from portal.client_invitations i
  where i.workspace_id = scope.workspace and i.client_id = $3 and i.used_at is null and i.revoked_at is null
    and not exists (
      select from portal.client_emails e join portal.client_memberships m
        on m.workspace_id = e.workspace_id and m.person_id = e.person_id and m.client_id = i.client_id
      where e.workspace_id = i.workspace_id and e.email = i.email)`
