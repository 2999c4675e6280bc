import type { Knex } from 'knex'

/** Whether the client does not agree with what the comment is about. */
export const up = (db: Knex) => db.raw('alter table portal.client_comments add disputed boolean not null default false')

export const down = (db: Knex) => db.raw('alter table portal.client_comments drop disputed')
