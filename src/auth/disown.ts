import type { Request } from 'express'
import type { Knex } from 'knex'
import { query } from '../database.ts'
import { issue, type Token } from './tokens.ts'
import { linkTo, type Ways } from './way.ts'

/** How long the link that says “It was not me” is good, in minutes. */
const good = 7 * 24 * 60

/** The link of a mail by which its reader signs everybody out: good beside those of earlier mails. */
export async function disowning(ways: Ways, req: Request<any>, tx: Knex, person: { id: string; email: string }) {
  const [secret = ''] = ways.secrets
  const { token } = await issue(tx, {
    ...{ workspace: req.portal.workspace.id, kind: 'device', person: person.id, email: person.email },
    ...{ minutes: good, secret },
  })
  return linkTo(ways, req, `/not-me/${token}`)
}

/**
 * Nobody stays in an account that somebody else was in, and nothing that could have let them in again: not the password,
 * the CRM's either, and no second factor that is younger than the oldest link which still doubts somebody. Whoever signs in next is new.
 * Within the workspace, once the token is used.
 */
export async function disown(tx: Knex, workspace: string, { id, person }: Token) {
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
  // No device has this hash: the next one is then not the first, and is mailed of.
  await query(tx, {
    text: `insert into portal.client_devices (workspace_id, person_id, hash) values ($1, $2, '')`,
    values: [workspace, person],
  })
}
