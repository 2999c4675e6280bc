import type { Knex } from 'knex'
import { query } from './database.ts'
import type { Log } from './log.ts'

/**
 * What time it is. The database's clock is the only one, since all instances share it: a process adds to its own clock
 * what it last found to lie between the two. Rows are stamped with the same clock, by `portal.now()` in SQL.
 */
export const currentTime = (database: Knex): Date => new Date(Date.now() + offset(database))

/** Milliseconds by which the database's clock is ahead of this process's, as last found. */
export const offset = (database: Knex): number => offsets.get(database.client.config) ?? 0

/** A difference that is worth a warning, and one with which an instance takes no requests, in milliseconds. */
export const tolerance = { warns: 2_000, stops: 60_000 }

/** Asks the database for the time. Changes nothing where its migrations are not there yet. */
export async function readClock(database: Knex, log: Log): Promise<void> {
  const sentAt = Date.now()
  const [row] = await query<{ now: Date }>(database, { text: 'select portal.now() as now' }).catch(missing)
  if (!row) return
  const halfway = (sentAt + Date.now()) / 2
  const before = offset(database)
  const found = Math.round(row.now.getTime() - halfway)
  offsets.set(database.client.config, found)
  if (Math.abs(found) > tolerance.warns && Math.abs(found - before) > tolerance.warns)
    log.warn(
      { milliseconds: found },
      'the clock of this machine and that of the database differ; the database’s is used',
    )
}

const offsets = new WeakMap<object, number>()

/** Errors of a schema or a function that does not exist. */
function missing(error: any) {
  if (error.code !== '3F000' && error.code !== '42883') throw error
  return []
}
