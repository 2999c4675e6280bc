import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import type { SignedInUser } from '../auth/sessions.ts'
import { read } from '../http/forms.ts'
import { showAgainOnError } from '../http/respond.ts'
import { query, within } from '../platform/database.ts'
import { anyMember } from '../plugin/permissions.ts'

/** The widgets of the home page, in their default order. Pending tasks come above all of them. */
const widgets = [
  { name: 'figures', label: 'Figures', icon: 'calculator' },
  { name: 'chart', label: 'Chart', icon: 'chart-bar' },
  { name: 'actions', label: 'Quick actions', icon: 'bolt' },
  { name: 'lately', label: 'Recent activity', icon: 'activity' },
  { name: 'news', label: 'News', icon: 'speakerphone' },
] as const
export type Widget = (typeof widgets)[number]['name']

const Stored = z.object({ order: z.array(z.string()).catch([]), hidden: z.array(z.string()).catch([]) })

/**
 * Returns all widgets in this person's order, and whether each is shown. A widget newer than the saved order comes
 * last.
 */
export function arrangementOf(user: SignedInUser | undefined): { name: Widget; shown: boolean }[] {
  const id = user?.person.id
  const row = user?.settings.find(([client, person, name]) => client === '' && person === id && name === setting)
  const { order, hidden } = Stored.catch({ order: [], hidden: [] }).parse(row?.[3])
  const place = (name: string) => order.indexOf(name) + 1 || widgets.length + 1
  return widgets
    .toSorted((a, b) => place(a.name) - place(b.name))
    .map(({ name }) => ({ name, shown: !hidden.includes(name) }))
}

const setting = 'home'

/** Lets each person choose the widgets of their home page, and the order. */
export function arrangement(database: Knex): Router {
  const router = Object.assign(Router(), { at: '/account/home' })

  router.get('/', anyMember, show)

  router.post(
    '/',
    anyMember,
    async (req, res) => {
      const { order, shown, move, reset } = read(Form, req)
      await keep(database, req, reset === undefined ? arranged(order, shown, move) : undefined)
      res.redirect(303, req.portal.url(`/account/home?${move ? new URLSearchParams({ moved: move }) : 'saved'}`))
    },
    showAgainOnError(show),
  )

  return router
}

const show: RequestHandler = (req, res) => {
  const known = new Map(widgets.map(it => [it.name, it]))
  res.respond('account/home', {
    parts: arrangementOf(req.portal.user).map(it => ({ ...known.get(it.name), ...it })),
    moved: String(req.query.moved ?? ''),
    saved: req.query.saved === '',
  })
}

const names = z
  .union([z.string().transform(it => [it]), z.array(z.string())])
  .default([])
  .transform(its =>
    widgets
      .map(it => it.name)
      .filter(it => its.includes(it))
      .toSorted((a, b) => its.indexOf(a) - its.indexOf(b)),
  )

const Form = z.object({
  order: names,
  shown: names,
  /** "up:figures" or "down:figures". */
  move: z
    .string()
    .regex(/^(up|down):\w+$/)
    .optional()
    .catch(undefined),
  reset: z.string().optional(),
})

function arranged(order: Widget[], shown: Widget[], move: string | undefined) {
  const [way, name] = move?.split(':') ?? []
  const at = order.indexOf(name as Widget)
  const to = at + (way === 'up' ? -1 : 1)
  const next = [...order]
  const [one, other] = [next[at], next[to]]
  if (one && other) Object.assign(next, { [at]: other, [to]: one })
  return { order: next, hidden: widgets.map(it => it.name).filter(it => !shown.includes(it)) }
}

/** Saves the row that comes with the session. It belongs to the person, for all of their clients. */
const keep = (database: Knex, req: Request, value: object | undefined) => {
  const { workspace, customer } = req.portal
  const key = [workspace.id, customer.person.id, setting]
  return within(database, { workspace: workspace.id }, tx =>
    value
      ? query(tx, {
          text: `insert into portal.client_portal_settings (workspace_id, person_id, name, value, changed_by)
                 values ($1, $2, $3, $4, $5)
                 on conflict (workspace_id, client_id, person_id, name)
                   do update set value = excluded.value, changed_at = portal.now(), changed_by = excluded.changed_by`,
          values: [...key, JSON.stringify(value), customer.person.name],
        })
      : query(tx, {
          text: `delete from portal.client_portal_settings
                 where workspace_id = $1 and client_id = '' and person_id = $2 and name = $3`,
          values: key,
        }),
  )
}
