import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { PgBoss } from 'pg-boss'

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>

/** Asks again and again until the answer is truthy, and gives it. Fails with what was asked and how it went at last. */
export async function until<T>(ask: () => T | Promise<T>, seconds = 20): Promise<Truthy<T>> {
  const end = performance.now() + seconds * 1_000
  for (;;) {
    const [answer, error] = await Promise.try(ask).then(
      it => [it, undefined] as const,
      it => [undefined, it] as const,
    )
    if (answer) return answer as Truthy<T>
    if (performance.now() > end)
      throw new Error(`Waited ${seconds} seconds for ${ask}`, { cause: error ?? `The last answer was ${answer}.` })
    await sleep(25)
  }
}

/** Until no job of this queue, or of one whose name begins like it, is due or at work: what has not happened by then does not happen. */
export const jobsDone = (owner: Knex, queue: string) =>
  until(async () => {
    const due = await owner('portal_jobs.job')
      .whereLike('name', `${queue}%`)
      .whereRaw(`(state = 'active' or state in ('created', 'retry') and start_after <= now())`)
      .select('id')
    return due.length === 0
  })

/** Queues what is scheduled under this key, as pg-boss does when it is due. */
export async function fallDue(owner: Knex, key: string) {
  await owner.raw(
    `insert into portal_jobs.job (name, data, policy, singleton_key, expire_seconds, retry_limit)
     select name, data, 'short', key, 900, 8 from portal_jobs.schedule where key = ?`,
    [key],
  )
  wake()
}

/** Looks now for what is due under this key, as it is looked for every few seconds, and waits until all of it is done. */
export async function lookNow(owner: Knex, key: string) {
  await until(() => owner('portal_jobs.schedule').where({ key }).first('key'))
  await until(async () => (await hurry(owner, { singleton_key: key })) || fallDue(owner, key).then(() => true))
  await jobsDone(owner, 'plugins')
}

/** Ends the waiting of these jobs. Gives how many there are. */
export async function hurry(owner: Knex, which: object): Promise<number> {
  const waiting = await owner('portal_jobs.job')
    .whereIn('state', ['created', 'retry'])
    .where(which)
    .update({ start_after: new Date(0) })
  wake()
  return waiting
}

const workers = new Map<PgBoss, string[]>()
const { work } = PgBoss.prototype as any
Object.assign(PgBoss.prototype, {
  async work(this: PgBoss, ...all: unknown[]) {
    const id: string = await work.apply(this, all)
    if (!workers.has(this)) this.once('stopped', () => workers.delete(this))
    workers.set(this, [...(workers.get(this) ?? []), id])
    return id
  },
})

/** All portals of this process look for jobs at once, as after what they queued themselves, and not some seconds later. */
function wake() {
  for (const [boss, ids] of workers) for (const it of ids) boss.notifyWorker(it)
}
