import type { Request } from 'express'
import type { Knex } from 'knex'
import type { Role } from '../crm/crm.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { query, readWithin } from '../platform/database.ts'
import { limitSql } from './approval-limit.ts'
import { accountsOfSameHuman } from './identity.ts'

export interface Colleague {
  id: string
  name: string
  email: string
  /** The version of their photo. */
  photo: string | null
  role: Role
  suspended: boolean
  /** The approval limit, as `10000.00 EUR`. */
  limit: string | null
}

/**
 * Locks the membership that is to change, and those of the client's other admins, until the transaction ends: of two
 * admins who demote each other, one is refused. Returns the membership and all accounts of that human, who has one role
 * per client. Throws NotFound for somebody who is not a member, Invalid for the last admin.
 */
export async function lockTeamChange(tx: Knex, req: Request<any>, person: string, lessens: boolean) {
  const workspace = req.portal.workspace.id
  const client = req.portal.customer.client.id
  const accounts = await accountsOfSameHuman(tx, workspace, person)
  const rows = await query<{ person: string; name: string; role: Role; suspended: boolean }>(tx, {
    text: `select m.person_id::text as person, u.name, m.role, u.suspended_at is not null as suspended
           from portal.client_memberships m join portal.client_users u
             on u.workspace_id = m.workspace_id and u.id = m.person_id
           where m.workspace_id = $1 and m.client_id = $2 and (m.person_id::text = $3 or m.role = 'admin')
           order by m.person_id for update of m`,
    values: [workspace, client, person],
  })
  const it = rows.find(row => row.person === person)
  if (!it) throw new NotFound()
  const others = rows.some(row => !accounts.includes(row.person) && row.role === 'admin' && !row.suspended)
  if (lessens && it.role === 'admin' && !others)
    throw new Invalid({ role: ['There must be at least one admin. Make someone else an admin first.'] }, { person })
  return { ...it, accounts }
}

/** Locks all memberships of a client, in one order, so that two admins who save several roles never wait in a circle. */
export const lockTeam = (tx: Knex, { portal: { workspace, customer } }: Request<any>) =>
  query(tx, {
    text: `select from portal.client_memberships where workspace_id = $1 and client_id = $2
           order by person_id for update`,
    values: [workspace.id, customer.client.id],
  })

/** Returns the people of a client, by name. */
export const colleagues = (database: Knex, workspace: string, client: string): Promise<Colleague[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.colleagues',
      text: `select u.id::text, u.name, u.email, u.photo_version as photo, m.role, u.suspended_at is not null as suspended, ${limitSql} as limit
             from portal.client_memberships m join portal.client_users u
               on u.workspace_id = m.workspace_id and u.id = m.person_id
             where m.workspace_id = scope.workspace and m.client_id = $3 order by lower(u.name), u.id limit 500`,
      values: [client],
    },
  )

/** Returns the open invitations of a client. Those whose invitee asked for a new one come first. */
export const openInvitations = (database: Knex, workspace: string, client: string) =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.invited',
      text: `select i.id::text, i.name, i.email, i.role, i.invited_by as by, i.created_at as at,
               i.renewal_requested_at as asked
             from portal.client_invitations i
             where i.workspace_id = scope.workspace and i.client_id = $3 and i.used_at is null and i.revoked_at is null
               and (i.expires_at > portal.now() or i.renewal_requested_at is not null)
             order by i.renewal_requested_at desc nulls last, i.created_at desc limit 100`,
      values: [client],
    },
  )
