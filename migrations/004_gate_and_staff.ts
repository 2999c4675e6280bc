import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Who accepted which audit, and the CRM's schema as it was then: one row for the whole CRM, or none. And staff of a
 * portal that stands alone.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.gate (
      only_one    boolean primary key default true check (only_one),
      accepted_at timestamptz not null default now(),
      accepted_by text not null,
      fingerprint text not null,
      audit       jsonb not null,
      crm_schema  jsonb not null
    );
    grant select on portal.gate to ${app};

    create table portal.client_staff (
      workspace_id  text not null,
      id            uuid not null,
      email         text not null check (email = lower(email)),
      name          text not null,
      password_hash text not null,
      admin         boolean not null,
      created_at    timestamptz not null default now(),
      primary key (workspace_id, id),
      unique (workspace_id, email)
    );
    grant select, insert, update on portal.client_staff to ${app};
    alter table portal.client_staff enable row level security, force row level security;
    create policy workspace on portal.client_staff to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_staff, portal.gate')
