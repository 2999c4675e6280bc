import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { coreHostOf } from '../../src/auth/host.ts'
import { words } from '../../src/http/filter.ts'
import { currentTime } from '../../src/platform/clock.ts'
import { dateIn, zoneOf } from '../../src/platform/i18n.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { sentencesOf } from '../../src/plugin/sentences.ts'
import { areInCrm } from '../../src/settings/own-records.ts'
import { trailOf } from '../../src/settings/record-trail.ts'
import { completedLately, countsOf, findForStaff, type Place, shows, tasksOf } from './desk-reads.ts'
import { dueText } from './home.ts'

/** The workspace and the plain date there, which decide what is late. */
export const placeOf = ({ portal }: Request<any>, { database }: Pick<Host, 'database'>): Place => ({
  workspace: portal.workspace.id,
  today: dateIn(zoneOf(portal.workspace.timeZone), currentTime(database)),
})

const Filter = z.object({
  show: z.enum(shows).default('open').catch('open'),
  search: words.catch(''),
  after: z.string().max(400).optional().catch(undefined),
})

/** All tasks that staff gave to clients; of those in the CRM, what clients completed last. */
export const showDesk =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const place = placeOf(req, host)
    if (areInCrm(req, host, 'tasks'))
      return res.respond('tasks/lately', { items: await completedLately(database, place.workspace) })
    const asked = Filter.parse(req.query)
    const [page, counts] = await Promise.all([tasksOf(database, place, asked), countsOf(database, place, asked.search)])
    res.respond('tasks/desk', {
      ...{ asked, counts, ...page, dueText: dueTextOf(req, place) },
      done: ['created', 'withdrawn'].find(it => req.query[it] !== undefined),
      given: Number(req.query.created) || 1,
    })
  }

/** One task, with what happened to it. */
export const showOne =
  (host: Host): RequestHandler<any> =>
  async (req, res) => {
    const { database } = host
    const place = placeOf(req, host)
    const { problem, body, sentence } = req.portal
    const task = await findForStaff(database, place, req.params.id)
    const sentences = sentencesOf(coreHostOf(host).plugins)
    const trail = await trailOf(database, {
      workspace: place.workspace,
      client: task.client,
      section: 'tasks',
      id: task.id,
    })
    const shown = { title: task.title, text: task.text ?? '', dueOn: task.dueOn ?? '' }
    res.respond('tasks/one', {
      ...{ task, dueText: dueTextOf(req, place), today: place.today },
      form:
        problem && 'title' in Object(body)
          ? Object(body)
          : { ...shown, items: task.list.map(it => it.title).join('\n') },
      trail: trail.map(it => ({ ...it, words: sentence(sentences[it.event] ?? it.event, it.subject) })),
      changed: req.query.changed === '',
    })
  }

const dueTextOf = ({ portal }: Request<any>, { today }: Place) => {
  const { t, nearDay, shortDay, day } = portal
  return (it: { dueOn: string | null; late: boolean }) =>
    dueText({ dueOn: it.dueOn, overdue: it.late }, { today, t, nearDay, shortDay, day })
}
