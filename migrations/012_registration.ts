import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * A client's code, by which its people may ask for access, and who has asked. Codes are found by their keyed hash and
 * shown from their seal. One without a client asked by a wrong code: as much is stored, so that nobody can tell.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_codes (
      workspace_id text not null,
      client_id    text not null,
      client_name  text not null,
      code_hash    text not null,
      sealed       bytea not null,
      changed_at   timestamptz not null default now(),
      changed_by   text not null,
      primary key (workspace_id, client_id),
      unique (workspace_id, code_hash)
    );

    create table portal.client_registrations (
      workspace_id text not null,
      id           uuid not null,
      email        text not null,
      name         text not null,
      language     text not null,
      client_id    text,
      client_name  text,
      token_hash   text not null,
      created_at   timestamptz not null default now(),
      confirmed_at timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );

    ${['client_codes', 'client_registrations']
      .map(
        table => `
    grant select, insert, update, delete on portal.${table} to ${app};
    alter table portal.${table} enable row level security, force row level security;
    create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));`,
      )
      .join('')}

    -- For portico prune, which clears up for all workspaces.
    create policy owner on portal.client_registrations for select to current_user using (true);
    create policy prune on portal.client_registrations for delete to current_user
      using (confirmed_at is null and created_at < now() - interval '7 days');
    create policy owner on portal.client_tokens for select to current_user using (true);
    create policy prune on portal.client_tokens for delete to current_user
      using (expires_at < now() - interval '1 day');

    select portal_jobs.create_queue('registrations', '{"policy": "standard", "retryLimit": 8, "retryDelay": 3600,
      "expireInSeconds": 120, "retentionSeconds": 1209600, "deleteAfterSeconds": 86400}'::jsonb);
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    select portal_jobs.delete_queue('registrations');
    drop policy owner on portal.client_tokens;
    drop policy prune on portal.client_tokens;
    drop table portal.client_registrations, portal.client_codes;
  `)
