import type { Knex } from 'knex'
import { v7 as uuid } from 'uuid'
import { fileJobs } from '../files/jobs.ts'
import type { Flags } from '../platform/flags.ts'
import type { Jobs, Job as Queued } from '../platform/jobs.ts'
import { usedWorkspaces } from '../platform/switch-off.ts'
import type { Host, Job, PluginQueue, Section } from './plugin.ts'

/** One queue for all plugins, and another for jobs that are looked for: migrations make them. */
const queues = { usual: 'plugins', due: 'plugins-due' }

const queueOf = (job: Job | undefined) => (job?.due ? queues.due : queues.usual)

/** Seconds between two looks for what is due. */
const look = 5

/** Seconds until a job is looked at again that cannot be done now. */
const pause = 600

/** What a job of a plugin is queued as. */
interface Task {
  job: string
  workspace: string
  slug: string
  data: object
  /** Whether it is one of those that come every so often. */
  round: boolean
}

/** What is scheduled: a job is due, in every workspace. */
type Due = Pick<Task, 'job'> & { due: true }

interface Parts {
  database: Knex
  flags: Flags
  jobs: Jobs
  plugins: Section[]
  host: Host
  /** Whether the CRM's audit was accepted. */
  isAccepted(): Promise<boolean>
}

/**
 * Does what plugins do later. What they do every so often is scheduled once for all workspaces, and queued for each of
 * them when it is due.
 */
export function pluginJobs(parts: Parts): void {
  const { jobs, plugins } = parts
  const all = new Map(declaredBy(plugins))
  for (const [name, job] of all) {
    const every = job.due ? 60 : job.every
    const what = { job: name, due: true } satisfies Due
    if (every) jobs.schedule(queueOf(job), what, { minutes: Math.round(every / 60), key: name })
  }
  const handler = async ({ data }: Queued<Task | Due>) => {
    const job = all.get(data.job)
    if ('due' in data) return job && queueRounds(parts, data.job, job)
    await perform(parts, job, data)
  }
  jobs.work<Task | Due>(queues.usual, handler, { every: 10, parallel: 2 })
  if ([...all.values()].some(it => it.due)) jobs.work<Task | Due>(queues.due, handler, { every: look, parallel: 4 })
}

/** All jobs by name, with those of the portal itself that work alike. */
const declaredBy = (plugins: Section[]): [string, Job][] =>
  [fileJobs, ...plugins.map(it => it.jobs ?? {})].flatMap(it => Object.entries<Job>(it))

/**
 * Queues a round for each workspace that is on and was ever used, or has something due. What is looked for is looked for
 * again soon: one such look waits at a time, whichever instance takes it.
 */
async function queueRounds({ database, flags, jobs }: Parts, name: string, job: Job) {
  const { whileOff } = job
  if (!whileOff && !flags.enabledAnywhere()) return
  const due = job.due && new Set(await job.due(database))
  const used = due?.size === 0 ? [] : await usedWorkspaces(database)
  const workspaces = used.filter(it => (whileOff || flags.enabled(it.slug)) && (!due || due.has(it.id)))
  await database.transaction(async tx => {
    for (const { id, slug } of workspaces)
      await send(jobs, tx, queueOf(job), { job: name, workspace: id, slug, data: {}, round: true })
    if (due) await jobs.send(tx, queues.due, { job: name, due: true } satisfies Due, look, name)
  })
  if (workspaces.length) jobs.wake()
}

async function perform({ database, flags, host, jobs, isAccepted }: Parts, job: Job | undefined, task: Task) {
  const later = (what: Task, seconds: number) => database.transaction(tx => send(jobs, tx, queueOf(job), what, seconds))
  const isOn = async () => flags.enabled(task.slug) && (await isAccepted())
  if (!job || !(job.whileOff || (await isOn()))) {
    // A queued job waits until the portal is on or the plugin is installed; a round is scheduled again anyway.
    if (!task.round) await later(task, pause)
    return
  }
  const { workspace: id, slug } = task
  const more = await job.work({ workspace: { id, slug }, data: task.data }, host)
  if (more) await later({ ...task, data: more, round: false }, 0)
  jobs.wake()
}

/** A task of the portal itself from before plugins had jobs, as it waits in a queue of that time. */
export interface FormerTask {
  what: string
  workspace: string
  slug: string
  id: string
}

/** Queues such a task as the job of the plugin that does it now. */
export const handOnFormer =
  ({ database, jobs, plugins }: Pick<Parts, 'database' | 'jobs' | 'plugins'>) =>
  async ({ what, workspace, slug, id }: FormerTask): Promise<void> => {
    const all = plugins.flatMap(it => Object.entries<Job>(it.jobs ?? {}))
    const [job] = all.find(([, it]) => it.formerly === what) ?? []
    if (!job) throw new Error(`No plugin does what was queued as ${what}.`)
    await database.transaction(tx => send(jobs, tx, queues.usual, { job, workspace, slug, data: { id }, round: false }))
    jobs.wake()
  }

/** Only one round of each workspace waits; everything else is done as often as it was asked for. */
const send = (jobs: Jobs, tx: Knex, queue: string, task: Task, seconds = 0) =>
  jobs.send(tx, queue, task, seconds, task.round ? `${task.job} ${task.workspace}` : uuid())

/** How plugins queue jobs of their own. Throws a TypeError for one that no plugin declares. */
export const pluginQueue = (jobs: Jobs, plugins: Section[]): PluginQueue => ({
  async queue(tx, { job, workspace, data, seconds }) {
    const declared = declaredBy(plugins).find(([name]) => name === job)?.[1]
    if (!declared) throw new TypeError(`No plugin declares the job ${job}.`)
    const { id, slug } = workspace
    await send(jobs, tx, queueOf(declared), { job, workspace: id, slug, data, round: false }, seconds)
  },
  wake: () => jobs.wake(),
})
