import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** Files that were sent with a comment: written once, like the comment. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_comment_files (
      workspace_id text not null,
      comment_id   uuid not null,
      file_id      uuid not null,
      client_id    text not null,
      primary key (workspace_id, comment_id, file_id),
      foreign key (workspace_id, comment_id) references portal.client_comments,
      foreign key (workspace_id, file_id) references portal.client_files
    );
    create unique index on portal.client_comment_files (workspace_id, file_id);
    ${rowSecurity('client_comment_files', app, { grant: 'select, insert', owner: 'none' })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_comment_files')
