import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** Mails that let somebody in have a queue of their own, so that none waits behind others. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    select portal_jobs.create_queue('mail-first', '{"policy": "standard", "retryLimit": 8, "retryDelay": 5,
      "retryBackoff": true, "retryDelayMax": 600, "expireInSeconds": 120, "retentionSeconds": 1209600,
      "deleteAfterSeconds": 86400}'::jsonb);
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)

export const down = (db: Knex) => db.raw(`select portal_jobs.delete_queue('mail-first')`)
