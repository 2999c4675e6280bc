import { createHash, randomBytes } from 'node:crypto'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { bySystem, insert, note } from '../activity.ts'
import type { Role } from '../crm.ts'
import { query } from '../database.ts'
import { Gone, NotFound } from '../errors.ts'
import { accountsOf } from './identity.ts'
import { addMembership, createAccount } from './people.ts'

export interface Invitation {
  id: string
  email: string
  name: string
  client: { id: string; name: string }
  contact: string | null
  role: Role
  invitedBy: string
}

/**
 * Within a transaction that has entered the workspace. Gives the token, which is stored only as its hash. An address has
 * one open invitation of a client: another one takes its place, and the link of the first is no longer good. Without a
 * request it is somebody at the command line who invites.
 */
export async function invite(
  tx: Knex,
  workspace: string,
  it: Omit<Invitation, 'id'>,
  req?: Request<any>,
): Promise<string> {
  const token = await open(tx, workspace, it)
  const { email, client, role } = it
  if (req) await note(tx, req, { event: 'team.invited', subject: { email, client: client.name, role } })
  else await noteOf(tx, workspace, it)
  return token
}

/** Of two at once the later one counts. */
async function open(tx: Knex, workspace: string, it: Omit<Invitation, 'id'>): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const email = it.email.toLowerCase()
  await query(tx, {
    text: `update portal.client_invitations set asked_at = null
           where workspace_id = $1 and client_id = $2 and email = $3 and used_at is null and revoked_at is not null`,
    values: [workspace, it.client.id, email],
  })
  const values = [workspace, uuid(), hash(token), email, it.name, it.client.id, it.client.name]
  await query(tx, {
    text: `insert into portal.client_invitations
             (workspace_id, id, token_hash, email, name, client_id, client_name, contact_id, role, invited_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (workspace_id, client_id, email) where used_at is null and revoked_at is null do update
             set token_hash = excluded.token_hash, name = excluded.name, client_name = excluded.client_name,
               contact_id = excluded.contact_id, role = excluded.role, invited_by = excluded.invited_by,
               created_at = portal.now(), expires_at = portal.now() + interval '7 days', asked_at = null`,
    values: [...values, it.contact, it.role, it.invitedBy],
  })
  return token
}

/**
 * Another link for seven more days; the one before is no longer good. One that was taken back is renewed only where the
 * person asks for it. `client` narrows it to one client's. Throws NotFound.
 */
export async function inviteAgain(tx: Knex, req: Request<any>, id: string, client?: string) {
  const workspace = req.portal.workspace.id
  const [row] = await query(tx, {
    text: `select email, name, client_id, client_name, contact_id, role, invited_by from portal.client_invitations
           where workspace_id = $1 and id::text = $2 and used_at is null
             and (revoked_at is null or (asked_at is not null and $3::text is null)) and client_id = coalesce($3, client_id)
           for update`,
    values: [workspace, id, client ?? null],
  })
  if (!row) throw new NotFound()
  const { email, name, role, client_name: clientName, invited_by: invitedBy } = row
  const its = { id: row.client_id, name: clientName }
  const token = await open(tx, workspace, { email, name, client: its, contact: row.contact_id, role, invitedBy })
  await note(tx, req, { event: 'team.invited', subject: { email, client: clientName, role } })
  return { token, email, name, client: clientName, invitedBy }
}

/**
 * Takes back what is open for these accounts of one human, at one client or at all: whoever was removed, suspended or given
 * another role comes back by no invitation of before, neither by one to them nor by one that they sent to another address.
 */
export const voidInvitations = (tx: Knex, workspace: string, persons: string[], client?: string) =>
  query(tx, {
    text: `update portal.client_invitations i set revoked_at = portal.now(), asked_at = null
           where i.workspace_id = $1 and i.used_at is null and i.revoked_at is null
             and i.client_id = coalesce($3, i.client_id) and (
               exists (select from portal.client_emails e where e.workspace_id = $1
                       and e.person_id::text = any($2) and e.email = i.email)
               or exists (select from portal.client_memberships m where m.workspace_id = $1
                          and m.person_id::text = any($2) and m.client_id = i.client_id and m.contact_id = i.contact_id)
               or exists (select from portal.client_activity_logs l where l.workspace_id = $1 and l.client_id = i.client_id
                          and l.event = 'team.invited' and l.actor_id = any($2) and lower(l.subject ->> 'email') = i.email
                          and l.at > i.created_at - interval '1 minute'))`,
    values: [workspace, persons, client ?? null],
  })

/** Whom an invitation that is over was for, where they have not asked before. */
export async function askAgain(tx: Knex, workspace: string, token: string) {
  const [row] = await query<{ id: string; name: string; email: string; client: string }>(tx, {
    text: `update portal.client_invitations set asked_at = portal.now()
           where workspace_id = $1 and token_hash = $2 and used_at is null and asked_at is null
             and (revoked_at is not null or expires_at < portal.now())
           returning id, name, email, client_id as client`,
    values: [workspace, hash(token)],
  })
  return row
}

/**
 * Takes it back: its link is no longer good. `client` narrows it to one client's. Throws NotFound for one that was used, or
 * taken back already.
 */
export async function revoke(tx: Knex, req: Request<any>, id: string, client?: string) {
  const [row] = await query(tx, {
    text: `update portal.client_invitations set revoked_at = portal.now(), asked_at = null
           where workspace_id = $1 and id::text = $2 and used_at is null and client_id = coalesce($3, client_id)
             and (revoked_at is null or (asked_at is not null and $3::text is null))
           returning email, client_name`,
    values: [req.portal.workspace.id, id, client ?? null],
  })
  if (!row) throw new NotFound()
  await note(tx, req, { event: 'team.revoked', subject: { email: row.email, client: row.client_name } })
}

/** Who invites from the command line is known to the operating system only. */
const noteOf = (tx: Knex, workspace: string, { email, client, role, invitedBy }: Omit<Invitation, 'id'>) =>
  insert(tx, [
    {
      ...bySystem(workspace, { event: 'team.invited', subject: { email, client: client.name, role } }, client.id),
      actor_name: invitedBy,
    },
  ])

/** Throws Gone for a token that is unknown, used or out of its seven days: which of them is nobody's business. */
export async function findInvitation(tx: Knex, workspace: string, token: string): Promise<Invitation> {
  const [row] = await query(tx, {
    text: `select id, email, name, client_id, client_name, contact_id, role, invited_by from portal.client_invitations
           where workspace_id = $1 and token_hash = $2 and used_at is null and revoked_at is null and expires_at > portal.now()`,
    values: [workspace, hash(token)],
  })
  if (!row) throw new Gone()
  const { client_id, client_name, contact_id, invited_by, ...rest } = row
  return { ...rest, client: { id: client_id, name: client_name }, contact: contact_id, invitedBy: invited_by }
}

/** The accounts of the human whom an invitation is for: none where they have none yet. */
export const holdersOf = (tx: Knex, workspace: string, { email, client, contact }: Invitation) =>
  accountsOf(tx, workspace, { emails: [email], client: client.id, contact })

/**
 * A new account with its first membership, and its id. Undefined, with nothing used up, where there is an account
 * already. Without a password they sign in by code. Of two at once, one succeeds: throws Gone for the other.
 */
export async function openAccount(
  tx: Knex,
  req: Request<any>,
  invitation: Invitation,
  { name, passwordHash }: { name: string; passwordHash: string | null },
): Promise<string | undefined> {
  const workspace = req.portal.workspace.id
  if ((await holdersOf(tx, workspace, invitation)).length) return undefined
  const person = await createAccount(tx, { workspace, email: invitation.email, name, passwordHash })
  if (!person) return undefined
  await useUp(tx, workspace, invitation)
  await addMembership(tx, { ...invitation, workspace, person })
  await noteJoined(tx, req, invitation, { id: person, name })
  return person
}

/** Adds the company to the account of whoever is signed in; a membership that there is stays as it is. Throws Gone. */
export async function joinClient(
  tx: Knex,
  req: Request<any>,
  invitation: Invitation,
  person: { id: string; name: string },
) {
  const workspace = req.portal.workspace.id
  await useUp(tx, workspace, invitation)
  const added = await addMembership(tx, { ...invitation, workspace, person: person.id })
  if (added) await noteJoined(tx, req, invitation, person)
}

async function useUp(tx: Knex, workspace: string, { id }: Invitation) {
  const used = await query(tx, {
    text: `update portal.client_invitations set used_at = portal.now()
           where workspace_id = $1 and id = $2 and used_at is null and revoked_at is null and expires_at > portal.now()
           returning id`,
    values: [workspace, id],
  })
  if (!used.length) throw new Gone()
}

const noteJoined = (
  tx: Knex,
  req: Request<any>,
  { client, role }: Invitation,
  { id, name }: { id: string; name: string },
) =>
  note(tx, req, {
    event: 'account.joined',
    subject: { id, role },
    actor: { kind: 'client', id, name, client: client.id },
  })

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
