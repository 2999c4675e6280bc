import { type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { loadCustomer, requireSignIn } from '../auth/load-context.ts'
import { ClientPortalOff } from '../auth/portal-switch.ts'
import type { SessionRequest, SignedInUser } from '../auth/sessions.ts'
import { showLogo } from '../branding/show.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm, Staff } from '../crm/crm.ts'
import type { Workspaces } from '../crm/workspaces.ts'
import { home } from '../home/home.ts'
import { showWaiting } from '../home/waiting.ts'
import type { RequestContext } from '../http/context.ts'
import { NotFound, Problem } from '../http/errors.ts'
import { words } from '../http/filter.ts'
import type { Hub } from '../live/hub.ts'
import { showLive } from '../live/route.ts'
import { recordEventIn } from '../platform/activity.ts'
import { query, readWithin, within } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import { mountClientRoutes } from '../plugin/mount.ts'
import { anyMember } from '../plugin/permissions.ts'
import type { Host, Section } from '../plugin/plugin.ts'
import { sentencesOf } from '../plugin/sentences.ts'
import { showOwn } from '../plugin/timeline.ts'
import { isPortalOff } from '../plugin/toggles.ts'
import { findMember, membersLike } from './members.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** Staff look at the portal as this person, until then. Nothing can be changed, and nothing counts as viewed. */
      viewing: Viewing | undefined
    }
  }
}

interface Viewing {
  name: string
  client: string
  until: Date
  /** Where staff stop. */
  stop: string
}

interface Parts {
  activation: Activation
  crm: Crm
  database: Knex
  host: Host
  hub: Hub
  log: Log
  sections: Section[]
  workspaces: Workspaces
}

/** How long one look lasts, in minutes; then staff begin another one, which is recorded again. */
const lasts = 30

/** Shows whom staff can look at the portal as. */
export const showChoice =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const search = words.catch('').parse(req.query.search)
    const { id } = req.portal.workspace
    res.respond('settings/view-as', { search, people: search ? await membersLike(database, id, search) : [] })
  }

/** Begins a look: it is recorded before anything is shown, and the client sees who looked and when. */
export const startViewing =
  (database: Knex): RequestHandler =>
  async (req, res) => {
    const { client, person } = Chosen.parse(req.portal.body ?? {})
    const { workspace, staff, url } = req.portal
    // An empty body is no form of ours: nothing is meant by it.
    if (!person) return res.redirect(303, url('/view'))
    const found = await findMember(database, workspace.id, { client, person })
    if (!found || found.suspended) throw new NotFound()
    if (isPortalOff(found.settings, client)) throw new ClientPortalOff()
    await within(database, { workspace: workspace.id }, async tx => {
      await recordEventIn(tx, req, {
        event: viewed,
        subject: { id: found.person, name: found.name },
        actor: { kind: 'staff', id: staff?.id, name: staff?.name, client },
      })
      await query(tx, {
        text: `insert into portal.client_portal_settings (workspace_id, name, value, changed_by)
               values ($1, $2, 'true', $3) on conflict do nothing`,
        values: [workspace.id, viewedOnce, staff?.name],
      })
    })
    res.redirect(303, url(placeOf(found)))
  }

const viewed = 'people.viewed-as'

/** The setting which says that somebody has tried it, for the overview. */
export const viewedOnce = 'settings.viewed-as'

const Chosen = z.object({ client: z.string().max(200).catch(''), person: z.string().max(100).catch('') })

const placeOf = ({ client, person }: { client: string; person: string }) =>
  `/view/${encodeURIComponent(client)}/${encodeURIComponent(person)}/`

/**
 * The clients' pages as one person has them, read only. They are the same routes once more, in a context that has no
 * session, notes nothing and refuses every method but GET.
 */
export function viewAs(parts: Parts): Router {
  const { database, host, sections, workspaces } = parts
  const inside = Object.assign(Router({ mergeParams: true }), { at: '/view/:client/:person' })
  inside.use(enter(database), onlyLook, loadCustomer(parts))
  inside.get('/', anyMember, home(parts))
  inside.get('/waiting', anyMember, showWaiting(host))
  inside.get('/live', anyMember, showLive(parts))
  inside.get('/activity', anyMember, showOwn(database, sentencesOf(sections)))
  inside.get('/logo/:version{/:paper}', anyMember, showLogo(workspaces))
  for (const it of sections) mountClientRoutes(inside, it, host, requireSignIn)
  inside.use(() => {
    throw new NotShown()
  })
  return inside
}

/** Makes the request one of this person, where staff have begun to look within the last half hour. */
const enter =
  (database: Knex): RequestHandler<any> =>
  async (req, res, next) => {
    const { portal } = req
    const { workspace, staff } = portal
    const found = await findMember(database, workspace.id, req.params as { client: string; person: string })
    const began = found && staff && (await lastStart(database, workspace.id, { ...found, staff }))
    if (!found || found.suspended) throw new NotFound()
    if (isPortalOff(found.settings, found.client)) throw new ClientPortalOff()
    if (!began) return res.redirect(303, portal.url(`/view?${new URLSearchParams({ search: found.email })}`))
    req.portal = {
      ...portal,
      ...silent(req, found.client),
      user: await userOf(database, workspace.id, found),
      viewing: {
        ...{ name: found.name, client: found.clientName, stop: portal.url('/people') },
        until: new Date(began.getTime() + lasts * 60_000),
      },
      url: path => portal.url(placeOf(found).slice(0, -1) + path),
    }
    next()
  }

/** What a look leaves nothing of: no session, no event, no version that counts as viewed. */
const silent = (req: Parameters<RequestHandler>[0], client: string) => ({
  frame: 'page' as const,
  staff: undefined,
  sessionRequest: Object.create(req, { session: { value: { client } } }) as SessionRequest,
  journal: async () => undefined,
  viewedVersions: async () => undefined,
  keptFields: undefined,
  requireStepUp: (() => {
    throw new OnlyLooking()
  }) as RequestContext['requireStepUp'],
})

const onlyLook: RequestHandler = ({ method }, _res, next) =>
  next(method === 'GET' || method === 'HEAD' ? undefined : new OnlyLooking())

class OnlyLooking extends Problem {
  status = 403
  code = 'only-looking'
  message = 'You are only looking'
  advice = 'Nothing was changed. Clients can use this button; you can’t while you view the portal as one of them.'
}

class NotShown extends NotFound {
  message = 'This page isn’t shown here'
  advice = 'Account, devices and team belong to the person. You can view the sections and the activity.'
}

/** When this member of staff began to look as this person, if it was within the last half hour. */
async function lastStart(
  database: Knex,
  workspace: string,
  { client, person, staff }: { client: string; person: string; staff: Staff },
): Promise<Date | undefined> {
  const [row] = await readWithin<{ at: Date }>(
    database,
    { workspace },
    {
      name: 'portal.viewed-as',
      text: `select l.at from portal.client_activity_logs l
             where l.workspace_id = scope.workspace and l.client_id = $3 and l.subject_id = $4 and l.event = $5
               and l.actor_id = $6 and l.actor_kind = 'staff' and l.at > portal.now() - $7 * interval '1 minute'
             order by l.id desc limit 1`,
      values: [client, person, viewed, staff.id, lasts],
    },
  )
  return row?.at
}

/** The person as a session of theirs would load them, for this client alone. */
async function userOf(database: Knex, workspace: string, it: { client: string; person: string }) {
  const [user] = await readWithin<SignedInUser>(
    database,
    { workspace },
    {
      name: 'portal.user',
      text: `select
          (select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language,
             'timeZone', u.time_zone, 'theme', u.theme, 'suspended', u.suspended_at is not null)
           from portal.client_users u where u.workspace_id = scope.workspace and u.id::text = $4) as person,
          (select jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role,
             'contact', m.contact_id))
           from portal.client_memberships m
           where m.workspace_id = scope.workspace and m.person_id::text = $4 and m.client_id = $3) as memberships,
          (select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
           from portal.client_portal_settings t
           where t.workspace_id = scope.workspace and t.client_id in ('', $3) and t.person_id in ('', $4)) as settings,
          (select coalesce(jsonb_object_agg(r.role, jsonb_build_object('name', r.name, 'permissions', r.permissions)), '{}')
           from portal.client_roles r where r.workspace_id = scope.workspace) as rights,
          exists (select from portal.client_factors f where f.workspace_id = scope.workspace
                    and f.person_id::text = $4 and f.confirmed_at is not null) as factor`,
      values: [it.client, it.person],
    },
  )
  return user
}
