import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What a client saw of a document when it was looked at first, so that it can be said what has changed since. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_versions (
      workspace_id text not null,
      client_id    text not null,
      section      text not null,
      document_id  text not null,
      sha256       text not null,
      at           timestamptz not null default now(),
      version      integer not null,
      content      jsonb not null,
      primary key (workspace_id, client_id, section, document_id, sha256)
    );
    grant select, insert on portal.client_versions to ${app};
    alter table portal.client_versions enable row level security, force row level security;
    create policy workspace on portal.client_versions to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy client on portal.client_versions as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_versions')
