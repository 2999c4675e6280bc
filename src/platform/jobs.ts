import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as after } from 'node:timers/promises'
import type { Knex } from 'knex'
import { type Db, PgBoss } from 'pg-boss'
import type { Log } from './log.ts'

/** Said here, and not as pg-boss has it: its types do not hold for who uses ours. */
export interface Job<Data> {
  data: Data
  /** How often it was tried before, and how often it may be. */
  retryCount: number
  retryLimit: number
}

/** What a handler throws for a job that another instance can do: it is queued again, and not counted as tried. */
export class LeaveToOthers extends Error {}

/** Work to do later, tried again where it fails, queued in the transaction of its cause (pg-boss, `portal_jobs`). */
export interface Jobs {
  /**
   * Within a transaction: the job is there if that commits. `startAfter` in seconds. Of one `key` only one waits at a
   * time, in queues made for it.
   */
  send(tx: Knex, queue: string, data: object, startAfter?: number, key?: string): Promise<void>
  /**
   * Each process that calls this does its share of the queue from now on; what throws is tried again. An empty queue is
   * looked at every so many seconds (2 if not given); one with jobs in it is worked off without a pause, `parallel` of
   * them at once (1 if not given).
   */
  work<Data>(
    queue: string,
    handler: (job: Job<Data>) => Promise<void>,
    how?: { every?: number; parallel?: number },
  ): void
  /**
   * Schedules this every `minutes`, once across instances. Occurrences that were missed are made up for by one. A later
   * call with the same `key` replaces it.
   */
  schedule(queue: string, data: object, how: { minutes: number; key: string }): void
  /** Looks for new jobs now and not at the next turn. */
  wake(): void
  /** Lets what is being done end, for some seconds. */
  stop(): Promise<void>
}

interface Parts {
  database: Knex
  log: Log
  /** Whether this instance may work: one with another secret than the others leaves all jobs to them. */
  trusted(): Promise<boolean>
}

/** Seconds until another instance may take a job that was given back, and between looks whether we may work again. */
const pause = { givenBack: 5, held: 10 }

export function jobs({ database, log, trusted }: Parts): Jobs {
  // pg-boss's own queries while sending must not need a second connection: all may be in use.
  const within = new AsyncLocalStorage<Knex>()
  const boss = createBoss(database, within, log)
  const scheduled: Schedule[] = []
  const workers = workersOf({ boss, scheduled, log, trusted })

  return {
    async send(tx, queue, data, startAfter = 0, key) {
      const unique = key === undefined ? {} : { singletonKey: key }
      await within.run(tx, () => boss.send(queue, data, { db: over(tx), startAfter, ...unique }))
    },
    work(queue, handler, { every = 2, parallel = 1 } = {}) {
      const options = { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: every } as const
      const startWorker = async () => {
        const id: string = await boss.work(queue, options, async ([job]) => {
          // Where there was one, there may be another: this worker looks again at once, whatever becomes of this one.
          boss.notifyWorker(id)
          if (await workers.mayWork()) await perform(boss, log, queue, job as Taken, handler)
          else await giveBack(boss, queue, job as Taken)
        })
        return id
      }
      workers.add(queue, startWorker, parallel)
    },
    schedule(queue, data, { minutes, key }) {
      const rule = `FREQ=MINUTELY;INTERVAL=${minutes}`
      scheduled.push(() => boss.schedule(queue, rule, data, { key, singletonKey: key, missed: 'once' }))
    },
    wake: workers.wake,
    stop: workers.stop,
  }
}

function createBoss(database: Knex, within: AsyncLocalStorage<Knex>, log: Log): PgBoss {
  const boss = new PgBoss({
    db: over(database, within),
    schema: 'portal_jobs',
    migrate: false,
    createSchema: false,
  })
  boss.on('error', err => log.error({ err }, 'the job queue failed; it tries again'))
  return boss
}

/** Tells pg-boss of something that is queued again and again. */
type Schedule = () => Promise<void>

/** A database that is down when we start is no reason not to start. */
async function startBoss({ boss, scheduled, log }: Started, signal: AbortSignal): Promise<void> {
  try {
    await boss.start()
    for (const schedule of scheduled) await schedule()
  } catch (err) {
    if (signal.aborted) return
    log.error({ err }, 'the job queue cannot start yet')
    const retry = () => startBoss({ boss, scheduled, log }, signal)
    await after(5_000, undefined, { ref: false, signal }).then(retry, () => undefined)
  }
}

interface Started {
  boss: PgBoss
  scheduled: Schedule[]
  log: Log
}

/** Begins to take jobs of a queue, and gives the id of the worker that does. */
type StartWorker = () => Promise<string>

/** The workers of this process: they begin soon after its start, and pause while this instance may not work. */
function workersOf({ boss, scheduled, log, trusted }: Started & Pick<Parts, 'trusted'>) {
  const queues = new Set<string>()
  const all: StartWorker[] = []
  const waiting: StartWorker[] = []
  const running = new Set<string>()
  const stopping = new AbortController()
  let started: Promise<unknown> | undefined
  let soon: NodeJS.Timeout | undefined

  const begin = () => {
    if (stopping.signal.aborted || !waiting.length) return
    started ??= startBoss({ boss, scheduled, log }, stopping.signal)
    started.then(async () => {
      // Workers that wait while this instance is paused begin when it is not any more.
      for (const start of waiting.splice(0))
        if (!stopping.signal.aborted && !trust.isPaused()) running.add(await start())
    })
  }
  const pauseAll = () => {
    log.error({ queues: [...queues] }, 'jobs are left to other instances: this one was started with another secret')
    for (const queue of queues) boss.offWork(queue, { wait: false })
    running.clear()
  }
  const resumeAll = () => {
    waiting.splice(0, waiting.length, ...all)
    begin()
  }
  const trust = pausesWhileUntrusted(trusted, pauseAll, resumeAll)

  return {
    add(queue: string, start: StartWorker, parallel: number) {
      queues.add(queue)
      const workers = Array.from({ length: parallel }, () => start)
      all.push(...workers)
      waiting.push(...workers)
      // Requests come first; jobs that an earlier process has left can wait this long.
      soon ??= setTimeout(begin, 2_000).unref()
    },
    mayWork: trust.mayWork,
    wake() {
      if (!started) return begin()
      for (const it of running) boss.notifyWorker(it)
    },
    async stop() {
      stopping.abort()
      clearTimeout(soon)
      trust.stop()
      if (!started) return
      await started
      await boss.stop({ graceful: true, timeout: 5_000, close: false })
    },
  }
}

/** Pauses all work from the first job on that this instance may not do, and resumes when it may. */
function pausesWhileUntrusted(trusted: Parts['trusted'], pauseAll: () => void, resumeAll: () => void) {
  let looking: NodeJS.Timeout | undefined
  const lookAgain = async () => {
    if (!(await trusted()) || !looking) return
    clearInterval(looking)
    looking = undefined
    resumeAll()
  }

  return {
    isPaused: () => looking !== undefined,
    async mayWork(): Promise<boolean> {
      if (await trusted()) return true
      if (!looking) {
        pauseAll()
        looking = setInterval(lookAgain, pause.held * 1_000).unref()
      }
      return false
    },
    stop: () => clearInterval(looking),
  }
}

async function perform(boss: PgBoss, log: Log, queue: string, job: Taken, handler: Handler) {
  try {
    await handler(job)
  } catch (error) {
    if (!(error instanceof LeaveToOthers)) throw error
    log.error({ queue, why: error.message }, 'a job is left to other instances')
    await giveBack(boss, queue, job)
  }
}

function giveBack(boss: PgBoss, queue: string, { data, singletonKey }: Taken) {
  const unique = singletonKey === null ? {} : { singletonKey }
  return boss.send(queue, data, { startAfter: pause.givenBack, ...unique })
}

type Handler = (job: any) => Promise<void>

/** The fields of a pg-boss job that are needed to queue it again. */
interface Taken {
  data: object
  singletonKey: string | null
}

/** pg-boss writes in our own pool or transaction; several statements at once give the rows of all. */
const over = (pool: Knex, within?: AsyncLocalStorage<Knex>): Db => ({
  async executeSql(text, values) {
    const database = within?.getStore() ?? pool
    const connection = await database.client.acquireConnection()
    try {
      const results = [await connection.query(text, values)].flat()
      return { rows: results.flatMap(it => it.rows ?? []) }
    } finally {
      await database.client.releaseConnection(connection)
    }
  },
})
