import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What clients and staff say about a document, or one line of it: written once, and never changed. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_comments (
      workspace_id text not null,
      id           uuid not null,
      at           timestamptz not null default now(),
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
    create unique index client_signatures_one_countersignature
      on portal.client_signatures (workspace_id, section, document_id, version) where act = 'countersigned';
    grant select, insert on portal.client_comments to ${app};
    alter table portal.client_comments enable row level security, force row level security;
    create policy workspace on portal.client_comments to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy client on portal.client_comments as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));
  `)

export const down = (db: Knex) =>
  db.raw('drop table portal.client_comments; drop index portal.client_signatures_one_countersignature')
