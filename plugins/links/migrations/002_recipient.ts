import type { Knex } from 'knex'

/** The contact that a link was mailed to: codes go there unless they want another address. */
export const up = (db: Knex) => db.raw('alter table portal.client_links add column contact_id text')

export const down = (db: Knex) => db.raw('alter table portal.client_links drop column contact_id')
