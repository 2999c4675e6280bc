import { createHash, randomBytes } from 'node:crypto'
import type { Request } from 'express'
import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { insert, note } from '../activity.ts'
import type { Role } from '../crm.ts'
import { query } from '../database.ts'
import { Gone } from '../errors.ts'
import { accountOf, join } from './people.ts'

export interface Invitation {
  id: string
  email: string
  name: string
  client: { id: string; name: string }
  contact: string | null
  role: Role
  invitedBy: string
}

/** Within a transaction that has entered the workspace. Gives the token, which is stored only as its hash. */
export async function invite(tx: Knex, workspace: string, it: Omit<Invitation, 'id'>): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await query(tx, {
    text: `insert into portal.client_invitations
             (workspace_id, id, token_hash, email, name, client_id, client_name, contact_id, role, invited_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      workspace,
      uuid(),
      hash(token),
      it.email.toLowerCase(),
      it.name,
      it.client.id,
      it.client.name,
      it.contact,
      it.role,
      it.invitedBy,
    ],
  })
  await noteOf(tx, workspace, it)
  return token
}

/** Who invites from the command line is known to the operating system only. */
const noteOf = (tx: Knex, workspace: string, { email, client, role, invitedBy }: Omit<Invitation, 'id'>) =>
  insert(tx, [
    {
      workspace_id: workspace,
      event: 'team.invited',
      actor_kind: 'system',
      actor_id: null,
      actor_name: invitedBy,
      client_id: client.id,
      subject_id: null,
      subject: { email, client: client.name, role },
      address: null,
      agent: null,
    },
  ])

/** Throws Gone for a token that is unknown, used or out of its seven days: which of them is nobody's business. */
export async function findInvitation(tx: Knex, workspace: string, token: string): Promise<Invitation> {
  const [row] = await query(tx, {
    text: `select id, email, name, client_id, client_name, contact_id, role, invited_by from portal.client_invitations
           where workspace_id = $1 and token_hash = $2 and used_at is null and expires_at > now()`,
    values: [workspace, hash(token)],
  })
  if (!row) throw new Gone()
  const { client_id, client_name, contact_id, invited_by, ...rest } = row
  return { ...rest, client: { id: client_id, name: client_name }, contact: contact_id, invitedBy: invited_by }
}

/** Of two at once, one succeeds. `fresh` says whether the account was made now; who had one keeps their password. */
export async function acceptInvitation(
  tx: Knex,
  req: Request<any>,
  invitation: Invitation,
  { name, passwordHash }: { name: string; passwordHash: string },
) {
  const { workspace } = req.portal
  const used = await query(tx, {
    text: `update portal.client_invitations set used_at = now()
           where workspace_id = $1 and id = $2 and used_at is null and expires_at > now() returning id`,
    values: [workspace.id, invitation.id],
  })
  if (!used.length) throw new Gone()
  const before = await accountOf(tx, workspace.id, invitation.email)
  const person = await join(tx, { ...invitation, workspace: workspace.id, name, passwordHash })
  await note(tx, req, {
    event: 'account.joined',
    subject: { id: person, role: invitation.role },
    actor: { kind: 'client', id: person, name, client: invitation.client.id },
  })
  return { person, fresh: !before?.password_hash }
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
