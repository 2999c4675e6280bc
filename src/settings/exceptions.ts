import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { readWithin, within } from '../database.ts'
import { Invalid, NotFound } from '../errors.ts'
import { words } from '../filter.ts'
import { limitForm, limitName, moneyIn, saveLimit } from '../offer/limit.ts'
import { stored, swap } from './store.ts'
import type { togglesOf } from './toggles.ts'

type Toggles = ReturnType<typeof togglesOf>

/** Where something differs from the workspace: at a client, or at one of its people. */
interface Place {
  client: string
  clientName: string
  /** Empty: the whole client. */
  person: string
  personName: string
}

/** Who differs from the workspace, and a search for whom to let differ. */
export const showExceptions =
  (database: Knex, toggles: Toggles): RequestHandler =>
  async (req, res) => {
    const search = words.catch('').parse(req.query.search)
    const workspace = req.portal.workspace.id
    const [found, set] = await Promise.all([
      search ? placesLike(database, workspace, search) : [],
      exceptionsOf(database, workspace),
    ])
    const exceptions = set
      .filter(it => toggles.has(it.name) || it.name === limitName)
      .map(it => ({
        ...it,
        label: toggles.get(it.name)?.label ?? 'How much may be accepted',
        limit: it.name === limitName ? moneyIn(String(it.value)) : null,
      }))
    res.answer('settings/exceptions', { search, found, exceptions })
  }

/** One client or person: each toggle on, off, or as it is inherited, with what that is and from where. */
export const showException =
  (database: Knex, toggles: Toggles): RequestHandler<any> =>
  async (req, res) => {
    const place = await placeOf(database, req)
    const workspace = req.portal.workspace.id
    const [ofWorkspace, ofClient, own] = await Promise.all([
      stored<any>(database, workspace),
      place.person ? stored<any>(database, workspace, place.client) : new Map<string, any>(),
      stored<any>(database, workspace, place.client, place.person),
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
    res.answer('settings/exception', { place, rows, limit, inherited, saved: req.query.saved === '' })
  }

export const saveException =
  (database: Knex, toggles: Toggles): RequestHandler<any> =>
  async (req, res) => {
    const place = await placeOf(database, req)
    await within(database, { workspace: req.portal.workspace.id }, async tx => {
      for (const it of changesIn(req.portal.body, toggles)) {
        await change(tx, req, place, it)
        const subject = { id: it.name, label: it.label, before: it.before, after: it.after, state: it.after }
        await note(tx, req, {
          event: 'settings.excepted',
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

/** Throws Conflict where it is not any more what it was on the page. */
function change(tx: Knex, req: Request<any>, { client, person }: Place, { name, before, after }: Change) {
  const { workspace, staff } = req.portal
  const value = (state: State) => (state === 'inherited' ? undefined : state === 'on')
  return swap(tx, { workspace: workspace.id, client, person, name }, value(before), value(after), staff?.name ?? '')
}

const places = `
  select m.client_id as client, m.client_name as "clientName", u.id::text as person, u.name as "personName", u.email
  from portal.client_memberships m join portal.client_users u on u.workspace_id = m.workspace_id and u.id = m.person_id
  where m.workspace_id = scope.workspace`

const placesLike = (database: Knex, workspace: string, search: string): Promise<(Place & { email: string })[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.places',
      text: `${places} and (m.client_name ilike $3 or u.name ilike $3 or u.email ilike $3) order by 2, 4 limit 50`,
      values: [`%${search.replace(/[\\%_]/g, '\\$&')}%`],
    },
  )

/** Throws NotFound for a client or person that has nothing to do with this workspace's portal. */
async function placeOf(database: Knex, req: Request<any>): Promise<Place> {
  const { client, person = '' } = req.params as { client: string; person?: string }
  const [place] = await readWithin<Place>(
    database,
    { workspace: req.portal.workspace.id },
    {
      name: 'portal.place',
      text: `${places} and m.client_id = $3 and ($4 = '' or u.id::text = $4) limit 1`,
      values: [client, person],
    },
  )
  if (!place) throw new NotFound()
  return person ? place : { ...place, person: '', personName: '' }
}

const exceptionsOf = (
  database: Knex,
  workspace: string,
): Promise<(Place & { name: string; value: boolean | string; by: string })[]> =>
  readWithin(
    database,
    { workspace },
    {
      name: 'portal.exceptions',
      text: `select t.name, t.value, t.changed_by as by, t.client_id as client, t.person_id as person,
             (select m.client_name from portal.client_memberships m
              where m.workspace_id = t.workspace_id and m.client_id = t.client_id limit 1) as "clientName",
             coalesce((select u.name from portal.client_users u
                       where u.workspace_id = t.workspace_id and u.id::text = t.person_id), '') as "personName"
           from portal.client_portal_settings t
           where t.workspace_id = scope.workspace and t.client_id <> '' order by 6, 7, 1 limit 500`,
    },
  )
