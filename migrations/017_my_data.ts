import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What people ask of their own data: a copy of it, which is there for a day, and its end, which they may take back. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_exports (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      client_id    text not null,
      sections     text[] not null,
      asked_at     timestamptz not null default now(),
      made_at      timestamptz,
      bytes        bytea,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create table portal.client_deletions (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      asked_at     timestamptz not null default now(),
      due_at       timestamptz not null,
      withdrawn_at timestamptz,
      done_at      timestamptz,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create unique index on portal.client_deletions (workspace_id, person_id) where withdrawn_at is null and done_at is null;
    create index on portal.client_exports (workspace_id, person_id);
    ${['client_exports', 'client_deletions']
      .map(
        table => `
    grant select, insert, update, delete on portal.${table} to ${app};
    alter table portal.${table} enable row level security, force row level security;
    create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.${table} to current_user using (true);`,
      )
      .join('')}
    select portal_jobs.create_queue('data', '{"policy": "standard", "retryLimit": 8, "retryDelay": 30, "retryBackoff": true,
      "retryDelayMax": 7200, "expireInSeconds": 900, "retentionSeconds": 5184000, "deleteAfterSeconds": 86400}'::jsonb);
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    select portal_jobs.delete_queue('data');
    drop table portal.client_deletions, portal.client_exports;
  `)
