import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** Public links, each to one document of one client. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_links (
      workspace_id  text not null,
      id            uuid not null,
      client_id     text not null,
      client_name   text not null,
      section       text not null,
      document_id   text not null,
      number        text not null,
      token_hash    text not null,
      requires_code boolean not null,
      created_by    text not null,
      created_at    timestamptz not null default portal.now(),
      expires_at    timestamptz not null,
      revoked_at    timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );
    ${rowSecurity('client_links', app, { grant: 'select, insert' })}
    grant update (revoked_at) on portal.client_links to ${app};
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_links')
