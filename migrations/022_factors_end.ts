import type { Knex } from 'knex'

/** When the second factor goes that staff have taken off: a day later, so that its owner can say no. */
export const up = (db: Knex) => db.raw('alter table portal.client_users add factors_end_at timestamptz')

export const down = (db: Knex) => db.raw('alter table portal.client_users drop factors_end_at')
