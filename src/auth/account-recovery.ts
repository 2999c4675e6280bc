import type { Request } from 'express'
import type { Knex } from 'knex'
import { query } from '../platform/database.ts'
import { linkTo, type MailContext } from './mail-context.ts'
import { issueToken, type Token } from './tokens.ts'

/** How long the "This wasn’t me" link is valid, in minutes. */
const validMinutes = 7 * 24 * 60

/** Returns a new token for a mail's "This wasn’t me" link. The links of earlier mails stay valid. */
export async function newRecoveryLink(
  mailContext: MailContext,
  req: Request<any>,
  tx: Knex,
  person: { id: string; email: string },
) {
  const [secret = ''] = mailContext.secrets
  const { token } = await issueToken(tx, {
    ...{ workspace: req.portal.workspace.id, kind: 'device', person: person.id, email: person.email },
    ...{ minutes: validMinutes, secret },
  })
  return linkTo(mailContext, req, `/not-me/${token}`)
}

/**
 * Recovers an account that somebody else may have used. Ends its sessions and removes whatever could let them in again:
 * the password (the CRM's does not count either) and every second factor younger than the oldest open "This wasn’t me"
 * link. The next device to sign in counts as new. Call within the workspace, once the token is used.
 */
export async function recoverAccount(tx: Knex, workspace: string, { id, person }: Token) {
  await query(tx, {
    text: `delete from portal.client_factors f
           where f.workspace_id = $1 and f.person_id = $2 and coalesce(f.confirmed_at, f.created_at) >= (
             select min(k.created_at) from portal.client_tokens k
             where k.workspace_id = $1 and k.person_id = $2 and k.kind in ('device', 'undo')
               and (k.id = $3 or k.used_at is null and k.expires_at > portal.now()))`,
    values: [workspace, person, id],
  })
  await query(tx, {
    text: `update portal.client_tokens set used_at = portal.now()
           where workspace_id = $1 and person_id = $2 and kind = 'device' and used_at is null`,
    values: [workspace, person],
  })
  await query(tx, {
    text: `update portal.client_users set password_hash = '' where workspace_id = $1 and id = $2`,
    values: [workspace, person],
  })
  for (const table of ['client_sessions', 'client_api_tokens', 'client_devices'])
    await query(tx, {
      text: `delete from portal.${table} where workspace_id = $1 and person_id = $2`,
      values: [workspace, person],
    })
  // No device matches this hash, so the next one is not the first and triggers a mail.
  await query(tx, {
    text: `insert into portal.client_devices (workspace_id, person_id, hash) values ($1, $2, '')`,
    values: [workspace, person],
  })
}
