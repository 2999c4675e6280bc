import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import type { Scene } from './visit.ts'

/** How many rows of these tables were read by going through all of a table, since the database began. */
export async function readInFull({ owner }: Pick<Scene, 'owner'>, tables: string[]): Promise<number> {
  // A connection that is idle reports to the statistics after ten seconds at the latest.
  await wait(11_000)
  const { rows } = await owner.raw(
    `select coalesce(sum(seq_tup_read), 0)::int as rows from pg_stat_user_tables where relname = any (?)`,
    [tables],
  )
  return rows[0].rows
}

/** Asks for pages, each twice, and notes how long the second time takes. */
export function stopwatch() {
  const took: string[] = []
  return {
    async ask(name: string, asked: () => PromiseLike<{ status: number }>) {
      await asked()
      const began = performance.now()
      expect((await asked()).status, name).to.equal(200)
      took.push(`${name} ${Math.round(performance.now() - began)} ms`)
    },
    print: () => console.log(`      ${took.join(', ')}`),
  }
}
