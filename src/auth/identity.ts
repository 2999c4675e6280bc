import type { Knex } from 'knex'
import type { Contact, Directory, Role, Workspace } from '../crm.ts'
import { roles } from '../crm.ts'
import { query } from '../database.ts'
import { above, type Money } from '../money.ts'
import { limitIn, limitName } from '../offer/limit.ts'
import type { Row } from '../settings/toggles.ts'

/**
 * One human may have several accounts in a workspace: they are theirs where they share an address, also one that they had
 * before, or a contact of the CRM's. What holds for one of them holds for all: whoever was suspended, has a second factor
 * or may do less is the same person on every way in.
 *
 * The name of a recursive table `same (id)` with all accounts of the human whose are those that `seed` selects. `$1` is
 * the workspace.
 */
export const sameSql = (seed: string) => `same (id) as (
  ${seed}
  union
  select o.id from same s cross join lateral (
    select b.person_id as id from portal.client_emails a
      join portal.client_emails b on b.workspace_id = a.workspace_id and b.email = a.email
    where a.workspace_id = $1 and a.person_id = s.id
    union all
    select n.person_id from portal.client_memberships m
      join portal.client_memberships n
        on n.workspace_id = m.workspace_id and n.client_id = m.client_id and n.contact_id = m.contact_id
    where m.workspace_id = $1 and m.person_id = s.id
  ) o)`

/** Of an account `u`: whether one that shares an address or a contact with it, or it itself, is suspended. */
export const suspendedSql = `exists (
  select from portal.client_users o
  where o.workspace_id = u.workspace_id and o.suspended_at is not null and o.id in (
    select b.person_id from portal.client_emails a
      join portal.client_emails b on b.workspace_id = a.workspace_id and b.email = a.email
    where a.workspace_id = u.workspace_id and a.person_id = u.id
    union all
    select n.person_id from portal.client_memberships m
      join portal.client_memberships n
        on n.workspace_id = m.workspace_id and n.client_id = m.client_id and n.contact_id = m.contact_id
    where m.workspace_id = u.workspace_id and m.person_id = u.id))`

/** A human as somebody else names them: by addresses, and as a contact of a client. */
export interface Named {
  emails: string[]
  client: string
  contact: string | null
}

const byName = `select e.person_id from portal.client_emails e where e.workspace_id = $1 and e.email = any($2)
  union
  select m.person_id from portal.client_memberships m
  where m.workspace_id = $1 and m.client_id = $3 and m.contact_id = $4`

/** The ids of all accounts of this human. Within a transaction that has entered the workspace, as all here. */
export async function accountsOf(tx: Knex, workspace: string, { emails, client, contact }: Named): Promise<string[]> {
  const rows = await query<{ id: string }>(tx, {
    name: 'portal.accounts-of',
    text: `with recursive ${sameSql(byName)} select id from same`,
    values: [workspace, emails.map(it => it.toLowerCase()), client, contact],
  })
  return rows.map(it => it.id)
}

/** The ids of all accounts of the human who has this one. */
export async function accountsBeside(tx: Knex, workspace: string, person: string): Promise<string[]> {
  const rows = await query<{ id: string }>(tx, {
    name: 'portal.accounts-beside',
    text: `with recursive ${sameSql('select u.id from portal.client_users u where u.workspace_id = $1 and u.id::text = $2')}
           select id from same`,
    values: [workspace, person],
  })
  return rows.map(it => it.id)
}

/** How one account stands towards one client. */
export interface Standing {
  person: string
  suspended: boolean
  /** None where their access to this client has ended, or never was. */
  role: Role | null
  /** Whether they have a second factor. */
  factor: boolean
  settings: Row[]
}

/** How each account of this human stands towards the client. */
export const standingsOf = (tx: Knex, workspace: string, { emails, client, contact }: Named): Promise<Standing[]> =>
  query(tx, {
    name: 'portal.standings',
    text: `with recursive ${sameSql(byName)}
           select u.id::text as person, u.suspended_at is not null as suspended, m.role,
             exists (select from portal.client_factors f where f.workspace_id = u.workspace_id and f.person_id = u.id
                     and f.confirmed_at is not null) as factor,
             (select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
              from portal.client_portal_settings t
              where t.workspace_id = u.workspace_id and t.person_id = u.id::text and t.client_id in ('', $3)) as settings
           from same s join portal.client_users u on u.workspace_id = $1 and u.id = s.id
             left join portal.client_memberships m
               on m.workspace_id = u.workspace_id and m.person_id = u.id and m.client_id = $3
           order by u.id`,
    values: [workspace, emails.map(it => it.toLowerCase()), client, contact],
  })

/** The role that may least of these, in the order in which roles are listed. */
export const lowest = (its: Role[]): Role | undefined => roles.findLast(it => its.includes(it))

/**
 * The smallest limit of all accounts of one human, as a row of the settings for `person`; none where none has one. Of two
 * currencies nobody can say which is less: then nothing may be accepted.
 */
export function strictestLimit(rows: Row[], standings: Standing[], client: string, person: string): Row[] {
  const limits = standings.flatMap(it => {
    const limit = it.role && limitIn([...rows, ...it.settings], client, it.person, it.role)
    return limit ? [limit] : []
  })
  const [first, ...others] = limits
  if (!first) return []
  const mixed = others.some(it => it.currency !== first.currency)
  const least = others.reduce<Money>((it, other) => (above(it, other) ? other : it), first)
  return [[client, person, limitName, mixed ? `0 ${first.currency}` : `${least.amount} ${least.currency}`]]
}

/** Whom the CRM has as contact of this client under this address. */
export async function contactAt(directory: Directory, workspace: Workspace, client: string, email: string) {
  const contacts: Contact[] = await directory.contacts(workspace, client)
  return contacts.find(it => it.email.toLowerCase() === email.toLowerCase())
}
