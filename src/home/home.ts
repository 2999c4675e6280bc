import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { lately } from '../activity.ts'
import type { Log } from '../log.ts'
import type { Home, Section } from '../section.ts'
import { sentencesOf } from '../sentences.ts'
import { arrangementOf, type Widget } from './arrangement.ts'

/** The first page: what each section has for this person. One that fails is said to be missing; the others stand. */
export function home({ database, sections, log }: { database: Knex; sections: Section[]; log: Log }): RequestHandler {
  const sentences = sentencesOf(sections)

  return async (req, res) => {
    const { nav, workspace, customer, now, id, visitor } = req.portal
    const shown = arrangementOf(visitor).filter(it => it.shown)
    const [recent, ...parts] = await Promise.allSettled([
      shown.some(it => it.name === 'lately')
        ? lately(database, { workspace: workspace.id, client: customer.client.id }, 6)
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
    res.answer('home', {
      greeting: greeting(req.portal.hour(now)),
      needs: homes.flatMap(it => it.needs).sort((a, b) => (a.by < b.by ? -1 : 1)),
      content,
      widgets: laid(shown.map(it => it.name).filter(it => content[it].length)),
      sentences,
      missing,
    })
  }
}

const nothing: Promise<Home> = Promise.resolve({ needs: [], figures: [] })

const kinds = { figures: 'whole', chart: 'wide', actions: 'narrow', lately: 'wide', news: 'narrow' } as const

/** A wide one and a narrow one that follow each other share a row on a desk; what is left alone has one to itself. */
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
