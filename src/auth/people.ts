import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Role } from '../crm.ts'
import { query } from '../database.ts'
import { sameSql } from './identity.ts'

/** Each of these runs within a transaction that has entered a workspace. */
interface Account {
  id: string
  name: string
  email: string
  /** Null where they have none of the portal's; empty where the CRM's does not count either, until they choose one. */
  password_hash: string | null
  language: string | null
  timeZone: string | null
  suspended: boolean
  /** Whether a second factor is asked for at sign-in. */
  factor: boolean
  /** Whether they have one of these for it. */
  passkey: boolean
  app: boolean
  /** Whether an invitation to their address waits for them. */
  invited: boolean
  memberships: { client: string; name: string; role: Role }[]
  /** The ids of all accounts of this human, this one first. */
  persons: string[]
}

/**
 * The account of this address. Suspension and second factor are those of the human: where they have other accounts, the
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
                     where i.used_at is null and i.revoked_at is null and i.expires_at > portal.now()) as invited,
             (select coalesce(jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role)
                                        order by m.client_name, m.client_id), '[]')
              from portal.client_memberships m where m.workspace_id = u.workspace_id and m.person_id = u.id) as memberships
           from portal.client_users u where u.workspace_id = $1 and u.email = $2`,
    values: [workspace, email],
  })
  return account
}

/** Whether somebody may sign in: one who belongs to no client any more only to accept the invitation that waits for them. */
export const mayEnter = (account: Account | undefined): account is Account =>
  account !== undefined && !account.suspended && (account.memberships.length > 0 || account.invited)

/** What an attacker would try first as password of this person: their name, addresses and companies, and the workspace. */
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

/** Whom an operator lets in: an account where there is none, and the membership. What there is already stays as it is. */
export async function join(tx: Knex, it: Joining): Promise<string> {
  const made = await createAccount(tx, it)
  const id = made ?? (await accountOf(tx, it.workspace, it.email.toLowerCase()))?.id
  if (!id) throw new Error(`no account of ${it.email}`)
  await addMembership(tx, { ...it, person: id })
  return id
}

/** Its id; undefined where somebody has this address already. */
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

/** False where they belong to this client already: that membership stays as it is. */
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
