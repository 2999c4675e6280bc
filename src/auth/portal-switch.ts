import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { Problem } from '../http/errors.ts'
import { query } from '../platform/database.ts'
import { isPortalOff, portalSwitch } from '../plugin/toggles.ts'

/** 403: for people whose client has no portal at the moment. */
export class PortalOff extends Problem {
  status = 403
  code = 'portal-off'
  message = 'The portal is switched off for your company'
  advice = 'Nothing was deleted. Ask the company that invited you if you think this is a mistake.'
}

/** 409: for staff who want to do what needs the portal of a client. */
export class ClientPortalOff extends Problem {
  status = 409
  code = 'client-portal-off'
  message = 'The portal is switched off for this client'
  advice = 'Switch it on for this client first, on the client’s page under People.'
}

/** SQL: whether the portal is off for the client of a row, which has `workspace_id` and `client_id`. */
export const portalOffSql = (row: string) => `exists (
  select from portal.client_portal_settings off
  where off.workspace_id = ${row}.workspace_id and off.client_id = ${row}.client_id and off.person_id = ''
    and off.name = '${portalSwitch}' and off.value = 'false')`

/**
 * Returns those of these clients for whom the portal is off. Like the next function, it runs within a transaction that has
 * entered the workspace.
 */
export async function portalOffFor(tx: Knex, workspace: string, clients: string[]): Promise<string[]> {
  const rows = await query<{ client_id: string }>(tx, {
    text: `select it.client_id from (select $1::text as workspace_id, unnest($2::text[]) as client_id) it
           where ${portalOffSql('it')}`,
    values: [workspace, clients],
  })
  return rows.map(it => it.client_id)
}

/** Throws ClientPortalOff. */
export async function requirePortalOn(tx: Knex, workspace: string, client: string): Promise<void> {
  const off = await portalOffFor(tx, workspace, [client])
  if (off.length) throw new ClientPortalOff()
}

/** Ignores memberships of clients for whom the portal is switched off, with the next request of every session and token. */
export const dropSwitchedOff: RequestHandler = (req, _res, next) => {
  const { user } = req.portal
  if (!user) return next()
  const on = user.memberships.filter(it => !isPortalOff(user.settings, it.client))
  user.switchedOff = on.length < user.memberships.length
  user.memberships = on
  next()
}

/**
 * Ends the sessions of everybody who has no other client. Tokens of programs stay, and are refused until it is on again.
 * Returns how many sessions it were.
 */
export async function endSessionsOf(tx: Knex, workspace: string, client: string): Promise<number> {
  const ended = await query(tx, {
    text: `delete from portal.client_sessions s using portal.client_memberships m
           where m.workspace_id = $1 and m.client_id = $2 and s.workspace_id = $1 and s.person_id = m.person_id
             and s.sid not like 'api.%' and not exists (
               select from portal.client_memberships o
               where o.workspace_id = $1 and o.person_id = m.person_id and not ${portalOffSql('o')})
           returning s.sid`,
    values: [workspace, client],
  })
  return ended.length
}
