import type { Request, RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { declaredBy } from '../auth/access.ts'
import { rightsOf } from '../auth/roles.ts'
import type { Activation } from '../crm/activation/activation.ts'
import type { Crm } from '../crm/crm.ts'
import { Conflict } from '../http/errors.ts'
import { readWithin } from '../platform/database.ts'
import { dateIn, zoneOf } from '../platform/i18n.ts'
import type { Section } from '../plugin/plugin.ts'
import { type Change, saveSettings } from '../plugin/stored-settings.ts'
import type { togglesOf } from '../plugin/toggles.ts'
import { effectsOf } from './effects.ts'

interface Parts {
  activation: Pick<Activation, 'availablePorts'>
  crm: Crm
  database: Knex
  sections: Section[]
}

/** The toggles of the whole workspace, by section, each with whom its change would reach. */
export function showVisibility({ activation, crm, database, sections }: Parts): RequestHandler {
  const declared = declaredBy(sections)
  return async (req, res) => {
    const { id } = req.portal.workspace
    const ports = portsOf(req, { activation, crm })
    const rights = await rightsOf(database, id)
    const [rows, effects] = await Promise.all([
      rowsOf(database, id),
      effectsOf(database, id, { declared, rights, offered: section => section in ports }),
    ])
    const late = req.portal.problem instanceof Conflict
    const groups = sections.map(({ name, title, icon, toggles }) => ({
      ...{ name, title, icon },
      toggles: Object.entries(toggles).map(([toggle, it]) => {
        const row = rows.get(toggle)
        const on = row?.value ?? it.default
        // What somebody else has changed since this page was shown.
        const changed = late && wasShown(req, toggle) === !on ? row : undefined
        return { name: toggle, ...it, on, effect: effects.get(toggle), changed }
      }),
    }))
    res.respond('settings/visibility', {
      groups: groups.filter(it => it.toggles.length),
      saved: req.query.saved === '',
    })
  }
}

export const saveVisibility =
  (database: Knex, toggles: ReturnType<typeof togglesOf>): RequestHandler =>
  async (req, res) => {
    await saveSettings(database, req, changesIn(req.portal.body, toggles))
    res.redirect(303, req.portal.url('/visibility?saved'))
  }

/** The ports that a client of this workspace has. */
function portsOf(req: Request<any>, { activation, crm }: Pick<Parts, 'activation' | 'crm'>): object {
  const { workspace, now, staff } = req.portal
  const person = { id: '', name: staff?.name ?? '', email: '' }
  const today = dateIn(zoneOf(workspace.timeZone), now)
  const nobody = { workspace, client: { id: '', name: '' }, person, role: 'viewer' as const, today }
  return activation.availablePorts(crm.connect(nobody))
}

interface Row {
  value: boolean
  by: string
  at: Date
}

async function rowsOf(database: Knex, workspace: string): Promise<Map<string, Row>> {
  const rows = await readWithin<Row & { name: string }>(
    database,
    { workspace },
    {
      name: 'portal.visibility',
      text: `select t.name, t.value, t.changed_by as by, t.changed_at as at from portal.client_portal_settings t
             where t.workspace_id = scope.workspace and t.client_id = '' and t.person_id = ''
               and jsonb_typeof(t.value) = 'boolean'`,
    },
  )
  return new Map(rows.map(({ name, ...it }) => [name, it]))
}

const formOf = (body: unknown) => z.record(z.string(), z.unknown()).catch({}).parse(body)

/** Whether the toggle was on in the page that was sent; undefined for one that was not on it. */
function wasShown(req: Request<any>, name: string): boolean | undefined {
  const was = formOf(req.portal.body)[`was.${name}`]
  return was === 'on' || was === 'off' ? was === 'on' : undefined
}

/** Browsers do not send an unticked toggle: `was.<name>` shows that it was on the page, and its value. */
function changesIn(body: unknown, toggles: ReturnType<typeof togglesOf>): Change[] {
  const form = formOf(body)
  return [...toggles].flatMap(([name, { label }]) => {
    const was = form[`was.${name}`]
    const on = form[name] === 'on'
    return (was === 'on' || was === 'off') && on !== (was === 'on')
      ? [{ name, label, before: was === 'on', after: on }]
      : []
  })
}
