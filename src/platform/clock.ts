import type { Knex } from 'knex'
import { notMigrated, query } from './database.ts'
import type { Log } from './log.ts'

/**
 * What time it is. The database's clock is the only one, since all instances share it: a process corrects its own clock
 * by the difference that it last measured. Rows are stamped with the same clock, by `portal.now()` in SQL.
 */
export const currentTime = (database: Knex): Date => new Date(Date.now() + (offsets.get(database.client.config) ?? 0))

/** In milliseconds; positive where the database's clock is ahead of this process's. */
const offsets = new WeakMap<object, number>()

/** How far the clock of this machine is from the database server's, in milliseconds; positive where it is behind. */
export const clockDifference = (database: Knex): number => measure.get(database.client.config) ?? 0

const measure = new WeakMap<object, number>()

/** Milliseconds: a difference that is worth a warning, and one with which an instance is not ready. */
export const clockLimits = { warning: 2_000, notReady: 60_000 }

/** Measures the difference of the two clocks. Changes nothing where the portal's migrations are not applied yet. */
export async function readClock(database: Knex, log: Log): Promise<void> {
  const sentAt = Date.now()
  const [row] = await query<{ portal: Date; server: Date }>(database, {
    text: 'select portal.now() as portal, clock_timestamp() as server',
  }).catch(notMigrated)
  if (!row) return
  const halfway = (sentAt + Date.now()) / 2
  offsets.set(database.client.config, Math.round(row.portal.getTime() - halfway))
  const milliseconds = Math.round(row.server.getTime() - halfway)
  measure.set(database.client.config, milliseconds)
  if (Math.abs(milliseconds) > clockLimits.warning)
    log.warn({ milliseconds }, 'the clock of this machine differs from the database’s, which is used')
}
