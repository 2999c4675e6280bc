import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { clientContact } from '../auth/client-contact.ts'
import type { Crm } from '../crm/crm.ts'
import { recentEntries } from '../platform/activity.ts'
import type { Log } from '../platform/log.ts'
import type { Home } from '../plugin/dashboard.ts'
import { mostUrgentFirst } from '../plugin/needs.ts'
import type { Section } from '../plugin/plugin.ts'
import { sentencesOf } from '../plugin/sentences.ts'
import { arrangementOf, type Widget } from './arrangement.ts'

interface Parts {
  crm: Crm
  database: Knex
  sections: Section[]
  log: Log
}

/**
 * The home page: each section's widgets for this person. If one fails, the page says that it is missing and shows the
 * others.
 */
export function home({ crm, database, sections, log }: Parts): RequestHandler {
  const sentences = sentencesOf(sections)

  return async (req, res) => {
    const { nav, workspace, customer, now, id, user } = req.portal
    const shown = arrangementOf(user).filter(it => it.shown)
    // What others did in a section is only for those who may see it.
    const hidden = sections.filter(it => `${it.name}.see` in it.permissions && !nav.includes(it)).map(it => it.name)
    const [recent, ...parts] = await Promise.allSettled([
      shown.some(it => it.name === 'lately')
        ? recentEntries(
            database,
            { workspace: workspace.id, client: customer.client.id },
            { person: customer.person.id, hidden, size: 6 },
          )
        : [],
      ...nav.map(it => it.home?.(req.portal) ?? nothing),
    ])
    const missing = nav.filter((_, at) => parts[at]?.status === 'rejected').map(it => it.title)
    for (const it of [recent, ...parts]) {
      if (it.status === 'rejected') log.error({ request: id, err: it.reason }, 'a part of the first page failed')
    }
    if (missing.length && missing.length === nav.length) throw (parts[0] as PromiseRejectedResult).reason
    const homes = parts.flatMap(it => (it.status === 'fulfilled' ? [it.value as Home] : []))
    const content = {
      figures: homes.flatMap(it => it.figures).filter(it => it.value.length),
      chart: homes.flatMap(it => it.chart ?? []),
      actions: homes.flatMap(it => it.actions ?? []).filter(it => it.count !== 0),
      lately: recent.status === 'fulfilled' ? recent.value : [],
      news: homes.flatMap(it => it.news ?? []).sort((a, b) => (a.on > b.on ? -1 : 1)),
    }
    const notices = homes.flatMap(it => it.notices ?? [])
    const underway = homes.flatMap(it => it.underway ?? [])
    const needs = mostUrgentFirst(homes.flatMap(it => it.needs))
    const { figures, chart, lately } = content
    const bare = ![needs, underway, missing, figures, chart, lately].some(it => it.length)
    const names = shown.map(it => it.name).filter(it => content[it].length && (!bare || it === 'news'))
    res.respond('home', {
      // Whoever has nothing of their own yet reads what will be here, and whom to ask.
      bare,
      contact: bare ? await clientContact(crm, workspace, customer.client.id) : undefined,
      greeting: greeting(req.portal.hour(now)),
      notices,
      underway,
      needs,
      content,
      widgets: laid(names),
      sentences,
      missing,
    })
  }
}

const nothing: Promise<Home> = Promise.resolve({ needs: [], figures: [] })

const kinds = { figures: 'whole', chart: 'wide', actions: 'narrow', lately: 'wide', news: 'narrow' } as const

/** On a wide screen, a wide widget and a narrow one in sequence share a row; any other gets a row of its own. */
function laid(names: Widget[]): { name: Widget; across: 'whole' | 'wide' | 'narrow' }[] {
  const [first, second, ...rest] = names
  if (!first) return []
  const pair = second && [kinds[first], kinds[second]]
  if (second && pair?.includes('wide') && pair.includes('narrow'))
    return [{ name: first, across: kinds[first] }, { name: second, across: kinds[second] }, ...laid(rest)]
  return [{ name: first, across: 'whole' }, ...laid(names.slice(1))]
}

const greeting = (hour: number) =>
  hour >= 5 && hour < 12
    ? 'Good morning, {name}'
    : hour >= 12 && hour < 18
      ? 'Good afternoon, {name}'
      : 'Good evening, {name}'
