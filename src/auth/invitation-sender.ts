import type { Request } from 'express'
import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import { tokenHash } from './invitations.ts'
import { linkTo, type MailContext, sendMail } from './mail-context.ts'

interface InvitationResult {
  email: string
  name: string
  language?: string
  client: string
  invitedBy: string
  token: string
}

/**
 * Mails an invitation, in the invitee's language if it is known, and notes with the invitation which mail it was: when the
 * mail server accepts it, the invitation gets the time.
 */
export async function sendInvitation(
  mailContext: MailContext,
  req: Request<any>,
  tx: Knex,
  { client, invitedBy, token, ...to }: InvitationResult,
): Promise<void> {
  const recipient = { email: to.email, name: to.name, language: to.language }
  const mail = await sendMail(mailContext, req, tx, 'invitation', recipient, {
    facts: { invitedBy, client },
    url: linkTo(mailContext, req, `/invitation/${token}`),
  })
  await query(tx, {
    text: `update portal.client_invitations set mail_id = $3 where workspace_id = $1 and token_hash = $2`,
    values: [req.portal.workspace.id, tokenHash(token), mail],
  })
}
