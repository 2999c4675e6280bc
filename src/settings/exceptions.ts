import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { limitForm, limitName, moneyIn, saveLimit } from '../auth/approval-limit.ts'
import type { Crm } from '../crm/crm.ts'
import { Invalid, NotFound } from '../http/errors.ts'
import { words } from '../http/filter.ts'
import { recordEventIn } from '../platform/activity.ts'
import { readWithin, within } from '../platform/database.ts'
import { replaceSetting, storedSettings } from '../plugin/stored-settings.ts'
import { portalSwitch, type togglesOf } from '../plugin/toggles.ts'

type Toggles = ReturnType<typeof togglesOf>

interface Parts {
  crm: Crm
  database: Knex
}

/** A client or one of its people whose toggles differ from the workspace's. */
interface Place {
  client: string
  clientName: string
  /** Empty for the whole client. */
  person: string
  personName: string
}

/** Lists who differs from the workspace, with a search for others. */
export const showExceptions =
  ({ crm, database }: Parts, toggles: Toggles): RequestHandler =>
  async (req, res) => {
    const search = words.catch('').parse(req.query.search)
    const workspace = req.portal.workspace.id
    const [found, set] = await Promise.all([
      search ? placesLike(database, workspace, search) : [],
      exceptionsOf(database, workspace),
    ])
    const exceptions = set.slice(0, most).flatMap(({ set: its, ...place }) => {
      const known = its.filter(it => toggles.has(it.name) || it.name in others)
      const told = known.map(it => ({
        ...it,
        label: toggles.get(it.name)?.label ?? others[it.name],
        limit: it.name === limitName ? moneyIn(String(it.value)) : null,
      }))
      return told.length ? [{ ...place, set: told }] : []
    })
    const named = await Promise.all(exceptions.map(it => withName(crm, req, it)))
    res.respond('settings/exceptions', { search, found, exceptions: named, more: set.length > most })
  }

/** The portal knows what a client is called from its people; of one without any, the CRM is asked. */
async function withName<T extends Place>(crm: Crm, req: Request, it: T): Promise<T> {
  if (it.clientName) return it
  const found = await crm.directory.client(req.portal.workspace, it.client).catch(() => undefined)
  return { ...it, clientName: found?.name || it.client }
}

/** Labels of what is set for a client or person and is no toggle of a section. */
const others: Record<string, string> = { [limitName]: 'How much may be accepted', [portalSwitch]: 'The whole portal' }

/** Shows each toggle of one client or person: on, off or inherited, with the inherited value and its source. */
export const showException =
  (database: Knex, toggles: Toggles): RequestHandler<any> =>
  async (req, res) => {
    const place = await placeOf(database, req)
    const workspace = req.portal.workspace.id
    const [ofWorkspace, ofClient, own] = await Promise.all([
      storedSettings<any>(database, workspace),
      place.person ? storedSettings<any>(database, workspace, place.client) : new Map<string, any>(),
      storedSettings<any>(database, workspace, place.client, place.person),
    ])
    const rows = [...toggles].map(([name, it]) => ({
      name,
      ...it,
      own: own.get(name),
      typed: req.portal.problem instanceof Invalid ? Object(req.portal.body)[name] : undefined,
      inherited: ofClient.get(name) ?? ofWorkspace.get(name) ?? it.default,
      from: ofClient.has(name) ? place.clientName : ofWorkspace.has(name) ? req.portal.workspace.name : '',
    }))
    const limit = limitForm(req.portal, own.get(limitName))
    const inherited = place.person ? moneyIn(ofClient.get(limitName)) : null
    const portalOff = (place.person ? ofClient : own).get(portalSwitch) === false
    res.respond('settings/exception', { place, rows, limit, inherited, portalOff, saved: req.query.saved === '' })
  }

export const saveException =
  (database: Knex, toggles: Toggles): RequestHandler<any> =>
  async (req, res) => {
    const place = await placeOf(database, req)
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      for (const it of changesIn(req.portal.body, toggles)) {
        await change(tx, req, place, it)
        const subject = { id: it.name, label: it.label, before: it.before, after: it.after, state: it.after }
        await recordEventIn(tx, req, {
          event: 'settings.exception',
          subject: { ...subject, whom: place.personName || place.clientName },
        })
      }
      await saveLimit(tx, req, {
        client: place.client,
        person: place.person,
        name: place.personName || place.clientName,
      })
    })
    res.redirect(303, `${req.portal.url(addressOf(place))}?saved`)
  }

const addressOf = ({ client, person }: Pick<Place, 'client' | 'person'>) =>
  `/exceptions/${[client, person].filter(Boolean).map(encodeURIComponent).join('/')}`

interface Change {
  name: string
  label: string
  before: State
  after: State
}
const states = ['on', 'off', 'inherited'] as const
type State = (typeof states)[number]

function changesIn(body: unknown, toggles: Toggles): Change[] {
  const form = z.record(z.string(), z.unknown()).catch({}).parse(body)
  return [...toggles].flatMap(([name, { label }]) => {
    const [before, after] = [states.find(it => it === form[`was.${name}`]), states.find(it => it === form[name])]
    return before && after && before !== after ? [{ name, label, before, after }] : []
  })
}

/** Saves a toggle. Throws Conflict if it changed since the page was shown. */
function change(tx: Knex, req: Request<any>, { client, person }: Place, { name, before, after }: Change) {
  const { workspace, staff } = req.portal
  const value = (state: State) => (state === 'inherited' ? undefined : state === 'on')
  return replaceSetting(
    tx,
    { workspace: workspace.id, client, person, name },
    value(before),
    value(after),
    staff?.name ?? '',
  )
}

const workspaces = `
  select m.client_id as client, m.client_name as "clientName", u.id::text as person, u.name as "personName", u.email
  from portal.client_memberships m join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
  where m.workspace_id = scope.workspace`

const placesLike = (database: Knex, workspace: string, search: string): Promise<(Place & { email: string })[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.places',
      text: `${workspaces} and (m.client_name ilike $3 or u.name ilike $3 or u.email ilike $3) order by 2, 4 limit 50`,
      values: [`%${search.replace(/[\\%_]/g, '\\$&')}%`],
    },
  )

/** Throws NotFound for a client or person who is not in this workspace's portal. */
async function placeOf(database: Knex, req: Request<any>): Promise<Place> {
  const { client, person = '' } = req.params as { client: string; person?: string }
  const [place] = await readWithin<Place>(
    database,
    { workspace: req.portal.workspace.id },
    {
      name: 'portal.place',
      text: `${workspaces} and m.client_id = $3 and ($4 = '' or u.id::text = $4) limit 1`,
      values: [client, person],
    },
  )
  if (!place) throw new NotFound()
  return person ? place : { ...place, person: '', personName: '' }
}

const most = 100

/** Who differs, by name, and in what; one more than are shown. */
const exceptionsOf = (
  database: Knex,
  workspace: string,
): Promise<(Place & { set: { name: string; value: boolean | string; by: string }[] })[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.exceptions',
      text: `select t.client_id as client, t.person_id as person, coalesce(c.name, '') as "clientName",
               coalesce(u.name, '') as "personName",
               jsonb_agg(jsonb_build_object('name', t.name, 'value', t.value, 'by', t.changed_by) order by t.name) as set
             from portal.client_portal_settings t
               left join (select m.client_id, min(m.client_name) as name from portal.client_memberships m
                          where m.workspace_id = scope.workspace group by 1) c on c.client_id = t.client_id
               left join portal.client_users u
                 on u.workspace_id = t.workspace_id and u.id = nullif(t.person_id, '')::uuid
             where t.workspace_id = scope.workspace and t.client_id <> ''
             group by 1, 2, 3, 4 order by 3, 4, 1, 2 limit ${most + 1}`,
    },
  )
