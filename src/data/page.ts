import { type Request, type RequestHandler, Router } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note, record } from '../activity.ts'
import { otherwise } from '../answer.ts'
import { within } from '../database.ts'
import { Conflict, NotFound } from '../errors.ts'
import type { Jobs } from '../jobs.ts'
import { anyMember, stepUp } from '../section.ts'
import { day, queue, type Task } from './jobs.ts'
import { alone, askDeletion, askExport, deletionOf, exportOf, takeExport, withdrawDeletion } from './requests.ts'

interface Parts {
  database: Knex
  jobs: Jobs
}

/** How long one may change one's mind. */
const daysToReturn = 14

/** One's own data: a copy of it, and its end. */
export function myData({ database, jobs }: Parts): Router {
  const router = Object.assign(Router(), { at: '/account/data' })
  const whose = ({ portal }: Request<any>) => ({
    workspace: portal.workspace.id,
    person: portal.customer.person.id,
    clients: portal.visitor?.memberships.map(it => it.client) ?? [],
  })
  const later = (req: Request<any>, what: Task['what'], id: string): Task => {
    const { id: workspace, slug } = req.portal.workspace
    return { what, workspace, slug, id }
  }

  const show: RequestHandler<any> = async (req, res) => {
    const { workspace, person } = whose(req)
    const data = await within(database, { workspace }, async tx => ({
      copy: await exportOf(tx, whose(req)),
      deletion: await deletionOf(tx, workspace, person),
      alone: await alone(tx, workspace, person),
    }))
    res.answer('account/data', { ...data, asked: req.query.asked === '', kept: req.query.kept === '' })
  }

  router.get('/', anyMember, show)

  router.post(
    '/copy',
    anyMember,
    stepUp('account.data'),
    async (req, res) => {
      const { workspace, person } = whose(req)
      const sections = req.portal.nav.map(it => it.name)
      await within(database, { workspace }, async tx => {
        const id = await askExport(tx, { workspace, person, client: req.portal.customer.client.id, sections })
        await jobs.send(tx, queue, later(req, 'export', id))
        await note(tx, req, { event: 'account.copy-asked' })
      })
      jobs.wake()
      res.redirect(303, req.portal.url('/account/data?asked'))
    },
    otherwise(show),
  )

  router.get('/copy/:copy', anyMember, stepUp('account.data'), async (req, res) => {
    const mine = whose(req)
    const id = z.uuid().safeParse(req.params.copy).data
    if (!id) throw new NotFound()
    const bytes = await within(database, mine, tx => takeExport(tx, mine, id))
    await record(req, { event: 'account.copy-taken' })
    res.attachment(`${req.portal.workspace.slug}-${req.portal.customer.today}.zip`)
    res.set('Cache-Control', 'private, no-store').type('application/zip').send(bytes)
  })

  router.post(
    '/deletion',
    anyMember,
    stepUp('account.data'),
    async (req, res) => {
      const { workspace, person } = whose(req)
      await within(database, { workspace }, async tx => {
        if ((await alone(tx, workspace, person)).length) throw new Conflict()
        const { id } = await askDeletion(tx, workspace, person, daysToReturn)
        await jobs.send(tx, queue, later(req, 'end', id), daysToReturn * day)
        await note(tx, req, { event: 'account.deletion-asked' })
      })
      res.redirect(303, req.portal.url('/account/data'))
    },
    otherwise(show),
  )

  router.post('/deletion/withdrawal', anyMember, async (req, res) => {
    const { workspace, person } = whose(req)
    await within(database, { workspace }, async tx => {
      if (await withdrawDeletion(tx, workspace, person)) await note(tx, req, { event: 'account.deletion-withdrawn' })
    })
    res.redirect(303, req.portal.url('/account/data?kept'))
  })

  return router
}
