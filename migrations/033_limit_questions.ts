import type { Knex } from 'knex'

/** How much somebody has asked lately is counted by this. */
export const up = (db: Knex) =>
  db.raw(
    "create index client_comments_of_author on portal.client_comments (workspace_id, author_id, at) where author_kind = 'client'",
  )

export const down = (db: Knex) => db.raw('drop index portal.client_comments_of_author')
