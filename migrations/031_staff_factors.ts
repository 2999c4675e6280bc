import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Second factors of staff of a portal that stands alone, in the shape of `client_factors`. Their ids are text: the CRM's
 * own staff have `crm:` before theirs, and are in no table of ours.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_staff_factors (
      workspace_id text not null,
      id           text not null,
      person_id    text not null,
      kind         text not null check (kind in ('app', 'passkey', 'recovery')),
      name         text,
      key          bytea,
      counter      bigint not null default 0,
      details      jsonb not null default '{}',
      created_at   timestamptz not null default portal.now(),
      confirmed_at timestamptz,
      used_at      timestamptz,
      primary key (workspace_id, id)
    );
    create index on portal.client_staff_factors (workspace_id, person_id);
    create unique index on portal.client_staff_factors (workspace_id, person_id) where kind = 'app';
    grant select, insert, update, delete on portal.client_staff_factors to ${app};
    alter table portal.client_staff_factors enable row level security, force row level security;
    create policy workspace on portal.client_staff_factors to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_staff_factors')
