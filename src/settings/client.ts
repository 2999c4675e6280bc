import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { endSessionsOf } from '../auth/portal-switch.ts'
import type { Crm } from '../crm/crm.ts'
import { NotFound } from '../http/errors.ts'
import { recordEventIn } from '../platform/activity.ts'
import { readWithin, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { replaceSetting } from '../plugin/stored-settings.ts'
import { portalSwitch } from '../plugin/toggles.ts'
import { type Welcome, welcomesOf } from './welcomes.ts'

interface Parts {
  crm: Crm
  database: Knex
  log: Log
}

/** Shows one client: the switch of its portal, with whom it reaches, and how each of its people came. */
export const showClient =
  (parts: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace } = req.portal
    const id = String(req.params.client)
    const [welcomes, state] = await Promise.all([
      welcomesOf(parts.database, workspace.id, { client: id }),
      stateOf(parts.database, workspace.id, id),
    ])
    const client = await nameOf(parts, req, id, welcomes)
    res.respond('settings/client', { client, welcomes, state, saved: req.query.saved === '' })
  }

interface State {
  /** Who switched it off, and when; null where it is on. */
  off: { by: string; at: Date } | null
  /** People with access who are not suspended. */
  people: number
  /** Those of them who have no other client whose portal is on. */
  alone: number
  /** Open invitations, and public links that work. */
  invitations: number
}

async function stateOf(database: Knex, workspace: string, client: string): Promise<State> {
  const [row] = await readWithin<Omit<State, 'off'> & { by: string | null; at: Date | null }>(
    database,
    { workspace },
    {
      name: 'portal.client-state',
      text: `select t.changed_by as by, t.changed_at as at,
               (select count(*)::int from portal.client_memberships m join portal.client_users u
                  on u.workspace_id = m.workspace_id and u.id = m.person_id
                where m.workspace_id = scope.workspace and m.client_id = $3 and u.suspended_at is null) as people,
               (select count(*)::int from portal.client_memberships m join portal.client_users u
                  on u.workspace_id = m.workspace_id and u.id = m.person_id
                where m.workspace_id = scope.workspace and m.client_id = $3 and u.suspended_at is null and not exists (
                  select from portal.client_memberships o where o.workspace_id = m.workspace_id
                    and o.person_id = m.person_id and o.client_id <> $3)) as alone,
               (select count(*)::int from portal.client_invitations i
                where i.workspace_id = scope.workspace and i.client_id = $3 and i.used_at is null
                  and i.revoked_at is null and i.expires_at > portal.now()) as invitations
             from (select 1) one left join portal.client_portal_settings t
               on t.workspace_id = scope.workspace and t.client_id = $3 and t.person_id = '' and t.name = $4
                 and t.value = 'false'`,
      values: [client, portalSwitch],
    },
  )
  const { by, at, ...counts } = row!
  return { ...counts, off: at ? { by: by ?? '', at } : null }
}

/** As the CRM calls it, or as the portal knows it from its people. Throws NotFound. */
async function nameOf({ crm, log }: Omit<Parts, 'database'>, req: Request<any>, id: string, welcomes: Welcome[]) {
  const found = await crm.directory.client(req.portal.workspace, id).catch(err => {
    if (!welcomes.length) throw err
    log.warn({ err }, 'the CRM does not say what a client is called')
    return undefined
  })
  if (!found && !welcomes[0]) throw new NotFound()
  const name = found?.name || welcomes[0]?.clientName || req.portal.t('Unnamed client, no. {id}', { id })
  // Whom the CRM does not have any more can be switched off, and not invited.
  return { id, name, known: found !== undefined }
}

const Switched = z.object({ was: z.enum(['on', 'off']), portal: z.enum(['on', 'off']) })

/** Switches the portal of one client on or off. Throws Conflict where somebody else did so meanwhile. */
export const saveClientSwitch =
  (parts: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff, url } = req.portal
    const id = String(req.params.client)
    const address = url(`/people/clients/${encodeURIComponent(id)}`)
    const client = await nameOf(parts, req, id, await welcomesOf(parts.database, workspace.id, { client: id }))
    const form = Switched.safeParse(req.portal.body).data
    // A form without it is none of ours: nothing is meant by it.
    if (!form || form.was === form.portal) return res.redirect(303, address)
    const off = form.portal === 'off'
    await within(parts.database, { workspace: workspace.id }, async tx => {
      const key = { workspace: workspace.id, client: id, person: '', name: portalSwitch }
      const value = (state: 'on' | 'off') => (state === 'off' ? false : undefined)
      await replaceSetting(tx, key, value(form.was), value(form.portal), staff?.name ?? '')
      const sessions = off ? await endSessionsOf(tx, workspace.id, id) : 0
      await recordEventIn(tx, req, {
        event: off ? 'settings.portal-off' : 'settings.portal-on',
        subject: { id, client: client.name, before: form.was, after: form.portal, sessions },
      })
    })
    res.redirect(303, `${address}?saved`)
  }
