import type { Request } from 'express'
import type { Knex } from 'knex'
import { RateLimited } from '../http/errors.ts'
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

/** How often one address is mailed an invitation: once in so many seconds, and so often in a week. */
const [pause, week, perWeek] = [3_600, 7 * 86_400, 5]

/**
 * Throws RateLimited if this address got an invitation less than an hour ago, or five in a week: before *Send again*.
 * Mails that could not be delivered do not count. Of two concurrent calls, the second sees the first one's mail.
 */
export async function requireRest(tx: Knex, req: Request<any>, email: string): Promise<void> {
  const { id: workspace } = req.portal.workspace
  const values = [workspace, email.toLowerCase()]
  await query(tx, {
    text: `select pg_advisory_xact_lock(hashtextextended('invitation ' || $1 || ' ' || $2, 0))`,
    values,
  })
  const mails = await query<{ age: number }>(tx, {
    text: `select extract(epoch from portal.now() - created_at)::float as age from portal.client_outbox
           where workspace_id = $1 and kind = 'invitation' and lower(recipient) = $2 and failed_at is null
             and created_at > portal.now() - interval '${week} seconds' order by created_at desc limit ${perWeek}`,
    values,
  })
  const [last, fifth] = [mails[0], mails[perWeek - 1]]
  if (fifth) throw new RateLimited(Math.ceil(week - fifth.age), 'invitations')
  if (last && last.age < pause) throw new RateLimited(Math.ceil(pause - last.age), 'invitation')
}
