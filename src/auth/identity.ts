import type { Knex } from 'knex'
import type { Contact, Directory, Role, Workspace } from '../crm/crm.ts'
import { roles } from '../crm/crm.ts'
import { query } from '../platform/database.ts'
import { above, type Money } from '../platform/money.ts'
import type { SettingRow } from '../plugin/toggles.ts'
import { limitIn, limitName } from './approval-limit.ts'

/**
 * One human may have several accounts in a workspace. Accounts belong to the same human if they share an address (a
 * former one too) or a contact of the CRM. Restrictions apply to all of them: a suspension, a second factor or a lower
 * limit counts for the human, however they sign in.
 *
 * Returns a recursive table `same (id)` with all accounts of the human who owns the accounts that `seed` selects. `$1`
 * is the workspace.
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

/** Whether an account `u`, or one that shares an address or a contact with it, is suspended. */
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

/** A human, named by addresses and as a contact of a client. */
export interface Named {
  emails: string[]
  client: string
  contact: string | null
}

const byName = `select e.person_id from portal.client_emails e where e.workspace_id = $1 and e.email = any($2)
  union
  select m.person_id from portal.client_memberships m
  where m.workspace_id = $1 and m.client_id = $3 and m.contact_id = $4`

/**
 * Returns the ids of all accounts of this human. Like all functions here, it runs within a transaction that has entered
 * the workspace.
 */
export async function accountsOf(tx: Knex, workspace: string, { emails, client, contact }: Named): Promise<string[]> {
  const rows = await query<{ id: string }>(tx, {
    name: 'portal.accounts-of',
    text: `with recursive ${sameSql(byName)} select id from same`,
    values: [workspace, emails.map(it => it.toLowerCase()), client, contact],
  })
  return rows.map(it => it.id)
}

/** Returns the ids of all accounts of the human who owns this one. */
export async function accountsOfSameHuman(tx: Knex, workspace: string, person: string): Promise<string[]> {
  const rows = await query<{ id: string }>(tx, {
    name: 'portal.accounts-beside',
    text: `with recursive ${sameSql('select u.id from portal.client_users u where u.workspace_id = $1 and u.id::text = $2')}
           select id from same`,
    values: [workspace, person],
  })
  return rows.map(it => it.id)
}

/**
 * Returns the address of the account that belongs to this contact of the CRM. Undefined if there is none, or if
 * accounts of several humans do. A CRM may number contacts anew for each client, so a contact is named with its client.
 */
export async function addressOf(tx: Knex, workspace: string, of: ContactOf): Promise<string | undefined> {
  const rows = await query<{ id: string; email: string }>(tx, {
    text: `select u.id::text, u.email from portal.client_users u
           where u.workspace_id = $1 and u.id in (
             select m.person_id from portal.client_memberships m where m.workspace_id = $1 and m.client_id = $2 and m.contact_id = $3)
           order by u.id`,
    values: [workspace, of.client, of.contact],
  })
  const [first] = rows
  const same = first ? await accountsOfSameHuman(tx, workspace, first.id) : []
  return rows.every(it => same.includes(it.id)) ? first?.email : undefined
}

interface ContactOf {
  client: string
  contact: string
}

/** The role and second factor of one account at one client. */
export interface Standing {
  person: string
  suspended: boolean
  /** Null if their access to this client has ended or never existed. */
  role: Role | null
  factor: boolean
  settings: SettingRow[]
}

/** Returns the standing of each account of this human at the client. */
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

/** Returns the role with the fewest permissions, by the order in which roles are listed. */
export const lowest = (its: Role[]): Role | undefined => roles.findLast(it => its.includes(it))

/**
 * Returns the smallest limit of all accounts of one human, as a settings row for `person`; undefined if none has one.
 * Limits in two currencies cannot be compared, so then nothing may be accepted.
 */
export function strictestLimit(
  rows: SettingRow[],
  standings: Standing[],
  client: string,
  person: string,
): SettingRow[] {
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

/** Returns the CRM's contact of this client with this address. */
export async function contactAt(directory: Directory, workspace: Workspace, client: string, email: string) {
  const contacts: Contact[] = await directory.contacts(workspace, client)
  return contacts.find(it => it.email.toLowerCase() === email.toLowerCase())
}
