import type { Knex } from 'knex'

/** When the last link of a chain was added: the next one is never older, even if the clock was set back. */
export const up = (db: Knex) => db.raw('alter table portal.client_chains add column at timestamptz')

export const down = (db: Knex) => db.raw('alter table portal.client_chains drop column at')
