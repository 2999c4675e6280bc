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
export class ForOthers extends Error {}

/** Work that is done later and tried again, queued in the transaction of its cause (pg-boss, in schema `portal_jobs`). */
export interface Jobs {
  /**
   * Within a transaction: the job is there if that commits. `startAfter` in seconds. Of one `key` only one waits at a time,
   * in queues made for it.
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

/** How soon a job that was given back may be taken by another instance, and how often we see whether we may work again. */
const pause = { givenBack: 5, held: 10 }

export function jobs({ database, log, trusted }: Parts): Jobs {
  // What pg-boss asks of its own accord while it sends must not wait for a second connection: all may be in transactions.
  const within = new AsyncLocalStorage<Knex>()
  const boss = new PgBoss({
    db: over(database, within),
    schema: 'portal_jobs',
    migrate: false,
    createSchema: false,
    schedule: false,
  })
  boss.on('error', err => log.error({ err }, 'the job queue failed; it tries again'))
  const workers = new Set<string>()
  const queues = new Set<string>()
  const begun: (() => Promise<void>)[] = []
  const waiting: (() => Promise<void>)[] = []
  const stopping = new AbortController()
  const { signal } = stopping
  let started: Promise<unknown> | undefined
  let soon: NodeJS.Timeout | undefined
  let held: NodeJS.Timeout | undefined

  /** A database that is down when we start is no reason not to start. */
  const start = async (): Promise<void> => {
    try {
      await boss.start()
    } catch (err) {
      if (signal.aborted) return
      log.error({ err }, 'the job queue cannot start yet')
      await after(5_000, undefined, { ref: false, signal }).then(start, () => undefined)
    }
  }

  const begin = () => {
    if (signal.aborted || !waiting.length) return
    started ??= start()
    started.then(async () => {
      // Those that wait while this instance is held begin when it is not any more.
      for (const work of waiting.splice(0)) if (!signal.aborted && !held) await work()
    })
  }

  const giveBack = (queue: string, { data, singletonKey }: Taken) =>
    boss.send(queue, data, { startAfter: pause.givenBack, ...(singletonKey === null ? {} : { singletonKey }) })

  /** Takes no more jobs until this instance may work again. */
  const hold = () => {
    if (held) return
    log.error({ queues: [...queues] }, 'jobs are left to other instances: this one was started with another secret')
    for (const queue of queues) boss.offWork(queue, { wait: false })
    workers.clear()
    held = setInterval(async () => {
      if (!(await trusted()) || !held) return
      clearInterval(held)
      held = undefined
      waiting.splice(0, waiting.length, ...begun)
      begin()
    }, pause.held * 1_000).unref()
  }

  const perform = async (queue: string, job: Taken, handler: Handler) => {
    if (!(await trusted())) {
      hold()
      return giveBack(queue, job)
    }
    try {
      await handler(job)
    } catch (error) {
      if (!(error instanceof ForOthers)) throw error
      log.error({ queue, why: error.message }, 'a job is left to other instances')
      await giveBack(queue, job)
    }
  }

  return {
    async send(tx, queue, data, startAfter = 0, key) {
      const unique = key === undefined ? {} : { singletonKey: key }
      await within.run(tx, () => boss.send(queue, data, { db: over(tx), startAfter, ...unique }))
    },
    work(queue, handler, { every = 2, parallel = 1 } = {}) {
      const options = { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: every } as const
      const workOff = async () => {
        const id: string = await boss.work(queue, options, async ([job]) => {
          // Where there was one, there may be another: this worker looks again at once, whatever becomes of this one.
          boss.notifyWorker(id)
          await perform(queue, job as Taken, handler)
        })
        workers.add(id)
      }
      queues.add(queue)
      const all = Array.from({ length: parallel }, () => workOff)
      begun.push(...all)
      waiting.push(...all)
      // Requests come first; what a process before this one has left can wait so long.
      soon ??= setTimeout(begin, 2_000).unref()
    },
    wake() {
      if (!started) return begin()
      for (const it of workers) boss.notifyWorker(it)
    },
    async stop() {
      stopping.abort()
      clearTimeout(soon)
      clearInterval(held)
      if (!started) return
      await started
      await boss.stop({ graceful: true, timeout: 5_000, close: false })
    },
  }
}

type Handler = (job: any) => Promise<void>

/** What of pg-boss's own job is needed to queue it again. */
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
