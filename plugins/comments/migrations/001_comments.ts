import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** What clients and staff say about a document, or about one line of it: written once. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_comments (
      workspace_id text not null,
      id           uuid not null,
      at           timestamptz not null default portal.now(),
      client_id    text not null,
      client_name  text not null,
      section      text not null,
      document_id  text not null,
      number       text not null,
      line_title   text,
      author_kind  text not null check (author_kind in ('client', 'staff')),
      author_id    text not null,
      author_name  text not null,
      text         text not null check (text <> ''),
      primary key (workspace_id, id)
    );
    create index on portal.client_comments (workspace_id, client_id, section, document_id, id);
    create index client_comments_of_author on portal.client_comments (workspace_id, author_id, at)
      where author_kind = 'client';
    ${rowSecurity('client_comments', app, { grant: 'select, insert', owner: 'none' })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_comments')
