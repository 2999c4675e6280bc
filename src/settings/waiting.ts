import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { readWithin } from '../platform/database.ts'
import type { Section } from '../plugin/plugin.ts'

/** Counts by the page's name in its address. */
type Waiting = Record<string, number>

export interface PluginPage {
  name: string
  path: string
  title: string
  icon: string
  order: number
  /** Heading of the menu. */
  group: string
}

declare global {
  namespace Portico {
    interface RequestContext {
      /** What waits for staff, for the settings menu. */
      awaiting: Waiting | undefined
      /** Pages that plugins add to the settings. */
      pluginPages: PluginPage[]
    }
  }
}

/**
 * Counts what waits for staff, for the menu: responses to submit and the plugins' own items. At most a hundred of each.
 */
export function countWaiting(database: Knex, plugins: Section[]): RequestHandler {
  const counted = plugins.flatMap(({ name, settings }) =>
    settings?.waiting ? [`'${settings.path ?? name}', ${settings.waiting}`] : [],
  )
  const text = `select jsonb_build_object(${[`'responses', ${responses}`, ...counted].join(', ')}) as waiting`
  return async (req, res, next) => {
    const { workspace } = req.portal
    if (!workspace.id) return next()
    const asked = { name: 'portal.waiting', text }
    // While the database does not respond, the menu is shown without numbers.
    const [row] = await readWithin<{ waiting: Waiting }>(database, { workspace: workspace.id }, asked).catch(() => [])
    req.portal.awaiting = row?.waiting
    // A page that refreshes a part of itself has the menu already.
    if (row && req.get('X-Portico-Refresh')) res.set('X-Portico-Waiting', JSON.stringify(row.waiting))
    next()
  }
}

const responses = `(select count(*)::int from (
    select from portal.client_signatures s
    where s.workspace_id = scope.workspace and s.state in ('saved', 'submitting') limit 100) a)`
