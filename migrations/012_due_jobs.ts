import type { Knex } from 'knex'

/** A queue for jobs of plugins that are looked for every few seconds and wait for servers of others. */
export const up = (db: Knex) =>
  db.raw(`select portal_jobs.create_queue('plugins-due', '${JSON.stringify(options)}'::jsonb)`)

/** Times in seconds. With `short`, only one job of each key waits at a time. */
const options = {
  policy: 'short',
  retryLimit: 8,
  retryDelay: 60,
  retryBackoff: true,
  retryDelayMax: 3_600,
  expireInSeconds: 900,
  retentionSeconds: 14 * 86_400,
  deleteAfterSeconds: 3_600,
}

export const down = (db: Knex) => db.raw(`select portal_jobs.delete_queue('plugins-due')`)
