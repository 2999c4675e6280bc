import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/**
 * Files that clients and staff upload. The bytes are in the file store, under the workspace and the id. A row is there
 * before anybody is told that the file arrived, and before the first byte of an upload that can be resumed, so that its
 * size counts as used from then on.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_files (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      name         text not null check (name <> '' and length(name) <= 255),
      type         text,
      size         bigint not null check (size > 0),
      sha256       bytea,
      state        text not null check (state in ('arriving', 'checking', 'ready', 'infected')),
      scan         text not null default 'none' check (scan in ('none', 'clean', 'too-large')),
      threat       text,
      by_kind      text not null check (by_kind in ('client', 'staff')),
      by_id        text not null,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      check (state = 'arriving' or type is not null and sha256 is not null)
    );
    create index client_files_usage on portal.client_files (workspace_id, client_id) include (size) where state <> 'infected';
    create index client_files_unfinished on portal.client_files (workspace_id, at) where state in ('arriving', 'checking');
    create index client_files_of_person on portal.client_files (workspace_id, by_id) where by_kind = 'client';
    ${rowSecurity('client_files', app, { many: true })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_files')
