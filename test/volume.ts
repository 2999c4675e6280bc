import { expect } from 'chai'
import type { Knex } from 'knex'
import type { Copy } from './database.ts'

type Pools = Pick<Copy, 'owner' | 'database'>

/** How many rows of these tables were read by going through all of a table, since the database began. */
export const readInFull = (pools: Pools, tables: string[]) => rowsRead(pools, 'seq_tup_read', tables)

/** The sum of these columns of the statistics. */
export async function rowsRead({ owner, database }: Pools, columns: string, tables: string[]): Promise<number> {
  for (const it of [owner, database]) await report(it)
  const { rows } = await owner.raw(
    `select coalesce(sum(${columns}), 0)::int as rows from pg_stat_user_tables where relname = any (?)`,
    [tables],
  )
  return rows[0].rows
}

/** Each connection of the pool tells what it has read, which it keeps to itself for up to ten seconds otherwise. */
async function report({ client }: Knex) {
  const all = await Promise.all(Array.from({ length: client.pool.max }, () => client.acquireConnection()))
  await Promise.all(all.map(it => it.query('select pg_stat_force_next_flush()')))
  await Promise.all(all.map(it => client.releaseConnection(it)))
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
