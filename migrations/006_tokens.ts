import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** Links and codes that were mailed, by their hash: each is good once, and for a while. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_tokens (
      workspace_id text not null,
      id           uuid not null,
      kind         text not null check (kind in ('sign-in', 'reset', 'address', 'undo')),
      person_id    uuid,
      email        text not null,
      hash         text not null,
      code_hash    text,
      tries        integer not null default 0,
      created_at   timestamptz not null default now(),
      expires_at   timestamptz not null,
      used_at      timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, hash)
    );
    create index on portal.client_tokens (workspace_id, person_id, kind);
    create index on portal.client_tokens (workspace_id, expires_at);
    grant select, insert, update, delete on portal.client_tokens to ${app};
    alter table portal.client_tokens enable row level security, force row level security;
    create policy workspace on portal.client_tokens to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_tokens')
