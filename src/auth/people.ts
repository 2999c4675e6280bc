import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Role } from '../crm/crm.ts'
import { query } from '../platform/database.ts'
import { sameSql } from './identity.ts'
import { PortalOff, portalOffSql } from './portal-switch.ts'

/** An account. Each function here runs within a transaction that has entered a workspace. */
interface Account {
  id: string
  name: string
  email: string
  /** Null if they have no password in the portal. Empty if the CRM's does not count either, until they choose one. */
  password_hash: string | null
  language: string | null
  timeZone: string | null
  suspended: boolean
  /** Whether sign-in requires a second factor. */
  factor: boolean
  /** Whether one of their second factors is a passkey. */
  passkey: boolean
  app: boolean
  /** Whether an open invitation exists for their address. */
  invited: boolean
  /** Without the clients for whom the portal is switched off. */
  memberships: { client: string; name: string; role: Role }[]
  /** Whether the portal is switched off for one of their clients. */
  switchedOff: boolean
  /** The ids of all accounts of this human, this one first. */
  persons: string[]
}

/**
 * Finds the account of this address. Suspension and second factor are those of the human: of several accounts, the
 * strictest counts.
 */
export async function accountOf(tx: Knex, workspace: string, email: string): Promise<Account | undefined> {
  const [account] = await query<Account>(tx, {
    name: 'portal.account',
    text: `with recursive ${sameSql('select u.id from portal.client_users u where u.workspace_id = $1 and u.email = $2')},
             factors as (
               select f.kind, f.confirmed_at is not null as confirmed
               from same s join portal.client_factors f on f.workspace_id = $1 and f.person_id = s.id)
           select u.id, u.name, u.email, u.password_hash, u.language, u.time_zone as "timeZone",
             array(select s.id::text from same s order by s.id <> u.id) as persons,
             exists (select from same s join portal.client_users o on o.workspace_id = $1 and o.id = s.id
                     where o.suspended_at is not null) as suspended,
             exists (select from factors where confirmed) as factor,
             exists (select from factors where kind = 'passkey') as passkey,
             exists (select from factors where kind = 'app' and confirmed) as app,
             exists (select from same s join portal.client_emails e on e.workspace_id = $1 and e.person_id = s.id
                       join portal.client_invitations i on i.workspace_id = e.workspace_id and i.email = e.email
                     where i.used_at is null and i.revoked_at is null and i.expires_at > portal.now()
                       and not ${portalOffSql('i')}) as invited,
             exists (select from portal.client_memberships m
                     where m.workspace_id = u.workspace_id and m.person_id = u.id and ${portalOffSql('m')}) as "switchedOff",
             (select coalesce(jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role)
                                        order by m.client_name, m.client_id), '[]')
              from portal.client_memberships m
              where m.workspace_id = u.workspace_id and m.person_id = u.id and not ${portalOffSql('m')}) as memberships
           from portal.client_users u where u.workspace_id = $1 and u.email = $2`,
    values: [workspace, email],
  })
  return account
}

/** Whether somebody may sign in. A person without any client may do so only to accept an open invitation. */
export const maySignIn = (account: Account | undefined): account is Account =>
  account !== undefined && !account.suspended && (account.memberships.length > 0 || account.invited)

/** Whether somebody cannot sign in only because the portal is switched off for their client. */
export const isSwitchedOff = (account: Account | undefined): account is Account =>
  account?.switchedOff === true && !account.suspended && !maySignIn(account)

/**
 * Returns the account if it may sign in. For who has proved that it is theirs: throws PortalOff if the portal is switched
 * off for their client.
 */
export function admitted(account: Account | undefined): Account | undefined {
  if (isSwitchedOff(account)) throw new PortalOff()
  return maySignIn(account) ? account : undefined
}

/**
 * Returns the words that an attacker would try first in this person's password: their name, addresses and clients, and
 * the workspace's name.
 */
export async function ownWords(tx: Knex, workspace: { id: string; name: string }, person: string): Promise<string[]> {
  const rows = await query<{ word: string }>(tx, {
    text: `select name as word from portal.client_users where workspace_id = $1 and id::text = $2
           union select email from portal.client_emails where workspace_id = $1 and person_id::text = $2
           union select client_name from portal.client_memberships where workspace_id = $1 and person_id::text = $2`,
    values: [workspace.id, person],
  })
  return [...rows.map(it => it.word), workspace.name]
}

export interface Joining {
  workspace: string
  email: string
  name: string
  client: { id: string; name: string }
  contact: string | null
  role: Role
  passwordHash: string | null
}

/**
 * Adds a person for an operator: creates the account if there is none, and the membership. Existing ones stay as they
 * are.
 */
export async function join(tx: Knex, it: Joining): Promise<string> {
  const made = await createAccount(tx, it)
  const id = made ?? (await accountOf(tx, it.workspace, it.email.toLowerCase()))?.id
  if (!id) throw new Error(`no account of ${it.email}`)
  await addMembership(tx, { ...it, person: id })
  return id
}

/** Creates an account and returns its id; undefined if the address is taken. */
export async function createAccount(
  tx: Knex,
  { workspace, email, name, passwordHash }: Pick<Joining, 'workspace' | 'email' | 'name' | 'passwordHash'>,
): Promise<string | undefined> {
  const [made] = await query<{ id: string }>(tx, {
    text: `insert into portal.client_users (workspace_id, id, email, name, password_hash) values ($1, $2, $3, $4, $5)
           on conflict (workspace_id, email) do nothing returning id`,
    values: [workspace, uuid(), email.toLowerCase(), name, passwordHash],
  })
  return made?.id
}

/** Adds a membership. Returns false if there is one already, which stays as it is. */
export async function addMembership(
  tx: Knex,
  { workspace, person, client, contact, role }: Omit<Joining, 'email' | 'name' | 'passwordHash'> & { person: string },
): Promise<boolean> {
  const added = await query(tx, {
    text: `insert into portal.client_memberships (workspace_id, person_id, client_id, client_name, contact_id, role)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (workspace_id, person_id, client_id) do nothing returning person_id`,
    values: [workspace, person, client.id, client.name, contact, role],
  })
  return added.length === 1
}
