import { createHash, randomBytes } from 'node:crypto'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import type { Role } from '../crm/crm.ts'
import { Gone, NotFound } from '../http/errors.ts'
import { bySystem, insert, recordEventIn } from '../platform/activity.ts'
import { query } from '../platform/database.ts'
import { accountsOf } from './identity.ts'
import { addMembership, createAccount } from './people.ts'
import { portalOffSql, requirePortalOn } from './portal-switch.ts'

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
 * Creates an invitation and returns its token, of which only the hash is stored. Runs within a transaction that has
 * entered the workspace. An address has one open invitation per client: a new one replaces it, and the former link
 * stops working. Without a request, the inviter is somebody at the command line. Throws ClientPortalOff.
 */
export async function invite(
  tx: Knex,
  workspace: string,
  it: Omit<Invitation, 'id'>,
  req?: Request<any>,
): Promise<string> {
  await requirePortalOn(tx, workspace, it.client.id)
  const token = await open(tx, workspace, it)
  const { email, client, role } = it
  if (req) await recordEventIn(tx, req, { event: 'team.invited', subject: { email, client: client.name, role } })
  else await noteOf(tx, workspace, it)
  return token
}

/** Of two concurrent invitations, the later one counts. */
async function open(tx: Knex, workspace: string, it: Omit<Invitation, 'id'>): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const email = it.email.toLowerCase()
  await query(tx, {
    text: `update portal.client_invitations set renewal_requested_at = null
           where workspace_id = $1 and client_id = $2 and email = $3 and used_at is null and revoked_at is not null`,
    values: [workspace, it.client.id, email],
  })
  const values = [workspace, uuid(), tokenHash(token), email, it.name, it.client.id, it.client.name]
  await query(tx, {
    text: `insert into portal.client_invitations
             (workspace_id, id, token_hash, email, name, client_id, client_name, contact_id, role, invited_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (workspace_id, client_id, email) where used_at is null and revoked_at is null do update
             set token_hash = excluded.token_hash, name = excluded.name, client_name = excluded.client_name,
               contact_id = excluded.contact_id, role = excluded.role, invited_by = excluded.invited_by,
               created_at = portal.now(), expires_at = portal.now() + interval '7 days', renewal_requested_at = null,
               mail_id = null, mailed_at = null`,
    values: [...values, it.contact, it.role, it.invitedBy],
  })
  return token
}

/**
 * Issues a new link for seven more days; the former link stops working. A revoked invitation is renewed only if the
 * person asked for it. With `client`, only that client's invitations are found. Throws NotFound, and ClientPortalOff.
 */
export async function inviteAgain(tx: Knex, req: Request<any>, id: string, client?: string) {
  const workspace = req.portal.workspace.id
  const [row] = await query(tx, {
    text: `select email, name, client_id, client_name, contact_id, role, invited_by,
             renewal_requested_at is not null as asked from portal.client_invitations
           where workspace_id = $1 and id::text = $2 and used_at is null
             and (revoked_at is null or (renewal_requested_at is not null and $3::text is null)) and client_id = coalesce($3, client_id)
           for update`,
    values: [workspace, id, client ?? null],
  })
  if (!row) throw new NotFound()
  const { email, name, role, client_name: clientName, invited_by: invitedBy } = row
  const its = { id: row.client_id, name: clientName }
  await requirePortalOn(tx, workspace, its.id)
  const token = await open(tx, workspace, { email, name, client: its, contact: row.contact_id, role, invitedBy })
  await recordEventIn(tx, req, { event: 'team.invited', subject: { email, client: clientName, role } })
  return { token, email, name, client: clientName, invitedBy, asked: row.asked as boolean }
}

/**
 * Revokes the open invitations of one human's accounts, at one client or at all, both those sent to them and those that
 * they sent. Otherwise a person who was removed, suspended or given another role could return by an earlier invitation,
 * or by one that they sent to another address of theirs.
 */
export const voidInvitations = (tx: Knex, workspace: string, persons: string[], client?: string) =>
  query(tx, {
    text: `update portal.client_invitations i set revoked_at = portal.now(), renewal_requested_at = null
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

/**
 * Records that the invitee of an expired invitation asks for a new one, unless they asked before. Returns the
 * invitation.
 */
export async function askForRenewal(tx: Knex, workspace: string, token: string) {
  const [row] = await query<{ id: string; name: string; email: string; client: string }>(tx, {
    text: `update portal.client_invitations set renewal_requested_at = portal.now()
           where workspace_id = $1 and token_hash = $2 and used_at is null and renewal_requested_at is null
             and (revoked_at is not null or expires_at < portal.now()) and not ${portalOffSql('client_invitations')}
           returning id, name, email, client_id as client`,
    values: [workspace, tokenHash(token)],
  })
  return row
}

/**
 * Revokes an invitation: its link stops working. With `client`, only that client's invitations are found. Throws
 * NotFound for one that was used or revoked already.
 */
export async function revoke(tx: Knex, req: Request<any>, id: string, client?: string) {
  const [row] = await query(tx, {
    text: `update portal.client_invitations set revoked_at = portal.now(), renewal_requested_at = null
           where workspace_id = $1 and id::text = $2 and used_at is null and client_id = coalesce($3, client_id)
             and (revoked_at is null or (renewal_requested_at is not null and $3::text is null))
           returning email, client_name`,
    values: [req.portal.workspace.id, id, client ?? null],
  })
  if (!row) throw new NotFound()
  await recordEventIn(tx, req, { event: 'team.revoked', subject: { email: row.email, client: row.client_name } })
}

/** The activity entry of an invitation. At the command line, only the operating system knows who the inviter is. */
const noteOf = (tx: Knex, workspace: string, { email, client, role, invitedBy }: Omit<Invitation, 'id'>) =>
  insert(tx, [
    {
      ...bySystem(workspace, { event: 'team.invited', subject: { email, client: client.name, role } }, client.id),
      actor_name: invitedBy,
    },
  ])

/**
 * Finds an open invitation. Throws Gone for a token that is unknown, used or older than seven days, without telling
 * which.
 */
export async function findInvitation(tx: Knex, workspace: string, token: string): Promise<Invitation> {
  const [row] = await query(tx, {
    text: `select id, email, name, client_id, client_name, contact_id, role, invited_by from portal.client_invitations
           where workspace_id = $1 and token_hash = $2 and used_at is null and revoked_at is null and expires_at > portal.now()
             and not ${portalOffSql('client_invitations')}`,
    values: [workspace, tokenHash(token)],
  })
  if (!row) throw new Gone()
  const { client_id, client_name, contact_id, invited_by, ...rest } = row
  return { ...rest, client: { id: client_id, name: client_name }, contact: contact_id, invitedBy: invited_by }
}

/** Why an invitation no longer works. A replaced or unknown one counts as expired. */
export interface Closed {
  state: 'used' | 'withdrawn' | 'expired' | 'off'
  client: string | undefined
}

/** Says why an invitation no longer works. Only its link leads here, so it is told to its holder alone. */
export async function closedInvitation(tx: Knex, workspace: string, token: string): Promise<Closed> {
  const [row] = await query<Closed>(tx, {
    text: `select case when ${portalOffSql('client_invitations')} then 'off'
             when used_at is not null then 'used' when revoked_at is not null then 'withdrawn' else 'expired' end
             as state, client_id as client
           from portal.client_invitations where workspace_id = $1 and token_hash = $2`,
    values: [workspace, tokenHash(token)],
  })
  return row ?? { state: 'expired', client: undefined }
}

/** Returns the accounts of the human whom an invitation is for; empty if they have none yet. */
export const accountHoldersOf = (tx: Knex, workspace: string, { email, client, contact }: Invitation) =>
  accountsOf(tx, workspace, { emails: [email], client: client.id, contact })

/**
 * Creates an account with its first membership and returns its id. Returns undefined, and uses nothing up, if the
 * account exists. Without a password, the person signs in by code. Of two concurrent calls, one succeeds and the other
 * throws Gone.
 */
export async function openAccount(
  tx: Knex,
  req: Request<any>,
  invitation: Invitation,
  { name, passwordHash }: { name: string; passwordHash: string | null },
): Promise<string | undefined> {
  const workspace = req.portal.workspace.id
  if ((await accountHoldersOf(tx, workspace, invitation)).length) return undefined
  const person = await createAccount(tx, { workspace, email: invitation.email, name, passwordHash })
  if (!person) return undefined
  await useUp(tx, workspace, invitation)
  await addMembership(tx, { ...invitation, workspace, person })
  await noteJoined(tx, req, invitation, { id: person, name })
  return person
}

/** Adds the client to the signed-in user's account; an existing membership stays as it is. Throws Gone. */
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
  recordEventIn(tx, req, {
    event: 'account.joined',
    subject: { id, role },
    actor: { kind: 'client', id, name, client: client.id },
  })

/** Of an invitation's token: what is stored of it. */
export const tokenHash = (token: string) => createHash('sha256').update(token).digest('base64url')
