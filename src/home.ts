import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { entries } from './activity.ts'
import type { Log } from './log.ts'
import type { Home, Section } from './section.ts'
import { sentencesOf } from './sentences.ts'

/** The first page: what each section has for this person. One that fails is said to be missing; the others stand. */
export function home({ database, sections, log }: { database: Knex; sections: Section[]; log: Log }): RequestHandler {
  const sentences = sentencesOf(sections)

  return async (req, res) => {
    const { nav, workspace, customer, now, id } = req.portal
    const [recent, ...parts] = await Promise.allSettled([
      entries(database, { workspace: workspace.id, client: customer.client.id }, { size: 6 }),
      ...nav.map(it => it.home?.(req.portal) ?? nothing),
    ])
    const missing = nav.filter((_, at) => parts[at]?.status === 'rejected').map(it => it.title)
    for (const it of [recent, ...parts]) {
      if (it.status === 'rejected') log.error({ request: id, err: it.reason }, 'a part of the first page failed')
    }
    if (missing.length && missing.length === nav.length) throw (parts[0] as PromiseRejectedResult).reason
    const homes = parts.flatMap(it => (it.status === 'fulfilled' ? [it.value as Home] : []))
    res.answer('home', {
      greeting: greeting(req.portal.hour(now)),
      needs: homes.flatMap(it => it.needs).sort((a, b) => (a.by < b.by ? -1 : 1)),
      figures: homes.flatMap(it => it.figures),
      charts: homes.flatMap(it => it.chart ?? []),
      recent: recent.status === 'fulfilled' ? recent.value : [],
      sentences,
      missing,
    })
  }
}

const nothing: Promise<Home> = Promise.resolve({ needs: [], figures: [] })

const greeting = (hour: number) =>
  hour >= 5 && hour < 12
    ? 'Good morning, {name}'
    : hour >= 12 && hour < 18
      ? 'Good afternoon, {name}'
      : 'Good evening, {name}'
