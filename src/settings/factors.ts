import type { RequestHandler } from 'express'
import type { Knex } from 'knex'
import { z } from 'zod'
import { note } from '../activity.ts'
import { notice } from '../auth/factors.ts'
import { linkTo, mailing, type Ways, write } from '../auth/way.ts'
import { queue, type Task } from '../data/jobs.ts'
import { query, within } from '../database.ts'
import { NotFound } from '../errors.ts'
import type { Jobs } from '../jobs.ts'

interface Parts {
  database: Knex
  jobs: Jobs
  mailed: Ways | undefined
}

/**
 * For somebody who lost phone and codes: staff know them by other means. It is told to the person at once and done a day
 * later; who still has the second factor keeps it by using it, and staff may change their minds.
 */
export const saveFactorReset =
  ({ database, jobs, mailed }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { workspace, staff } = req.portal
    const { keep } = z.object({ keep: z.string().optional() }).catch({}).parse(req.portal.body)
    const work = async (tx: Knex) => {
      const [person] = await query(tx, {
        text: `update portal.client_users u
               set factors_end_at = ${keep ? 'null' : `coalesce(u.factors_end_at, portal.now() + interval '${notice} seconds')`}
               from (select workspace_id, id, factors_end_at from portal.client_users
                     where workspace_id = $1 and id::text = $2 for update) b
               where u.workspace_id = b.workspace_id and u.id = b.id and exists (
                 select from portal.client_factors f where f.workspace_id = u.workspace_id and f.person_id = u.id)
               returning u.id, u.name, u.email, u.language, u.time_zone as "timeZone", u.factors_end_at as at,
                 (b.factors_end_at is null) = $3 as changed`,
        values: [workspace.id, req.params.person, !keep],
      })
      if (!person) throw new NotFound()
      const { id, name, at, changed } = person
      if (!changed) return
      await note(tx, req, { event: keep ? 'people.factor-kept' : 'people.factor-reset', subject: { id, name } })
      if (keep) return
      const task: Task = { what: 'factors', workspace: workspace.id, slug: workspace.slug, id }
      await jobs.send(tx, queue, task, notice)
      if (mailed)
        await write(
          mailed,
          req,
          tx,
          'factor-reset',
          { ...person, person: id },
          {
            facts: speech => ({ by: staff?.name ?? workspace.name, time: speech.time(at) }),
            url: linkTo(mailed, req, '/sign-in'),
          },
        )
    }
    await (mailed ? mailing(mailed, req, work) : within(database, { workspace: workspace.id }, work))
    res.redirect(303, req.portal.url(`/people?done=${keep ? 'kept' : 'reset'}`))
  }
