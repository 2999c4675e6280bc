import type { Knex } from 'knex'
import { bySystem, insert } from '../platform/activity.ts'
import { within } from '../platform/database.ts'
import type { Job, Jobs } from '../platform/jobs.ts'
import type { FormerTask } from '../plugin/jobs.ts'
import { endFactors, endSingleFactors, removalNotice } from './factors.ts'

/** This queue also holds older tasks that belong to plugins now, from before plugins had jobs of their own. */
const queue = 'data'

/** Ends second factors that staff have removed from an account. */
interface Task extends FormerTask {
  what: 'factors'
}

interface Parts {
  database: Knex
  jobs: Jobs
  /** Passes a task to the plugin that owns it now. */
  handOn(task: FormerTask): Promise<void>
}

/** Queues the job within a transaction. It runs when the notice period is over. */
export function queueFactorsEnd(tx: Knex, jobs: Jobs, { id, slug }: { id: string; slug: string }, person: string) {
  const task: Task = { what: 'factors', workspace: id, slug, id: person }
  return jobs.send(tx, queue, task, removalNotice)
}

/** The job is idempotent. */
export const factorsEndJobs = ({ database, jobs, handOn }: Parts) =>
  jobs.work<FormerTask>(queue, async ({ data }: Job<FormerTask>) => {
    const { what, workspace, id } = data
    if (what !== 'factors') return handOn(data)
    await within(database, { workspace }, async tx => {
      const single = await endSingleFactors(tx, { workspace, person: id })
      if ((await endFactors(tx, { workspace, person: id })) || single)
        await insert(tx, [bySystem(workspace, { event: 'people.factor-ended', subject: { id } })])
    })
  })
