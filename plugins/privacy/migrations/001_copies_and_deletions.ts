import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** The copies of their own data that people ask for, and the deletions of their accounts, which they may withdraw. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_exports (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      client_id    text not null,
      sections     text[] not null,
      requested_at timestamptz not null default portal.now(),
      completed_at timestamptz,
      bytes        bytea,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_exports (workspace_id, person_id);
    ${rowSecurity('client_exports', app, { perClient: false })}

    create table portal.client_deletions (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      requested_at timestamptz not null default portal.now(),
      due_at       timestamptz not null,
      withdrawn_at timestamptz,
      completed_at timestamptz,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create unique index on portal.client_deletions (workspace_id, person_id)
      where withdrawn_at is null and completed_at is null;
    ${rowSecurity('client_deletions', app, { perClient: false })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_deletions, portal.client_exports')
