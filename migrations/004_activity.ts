import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/** Who did what, append-only, and what an admin should look at. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_activity_logs (
      workspace_id text not null,
      id           bigint generated always as identity,
      at           timestamptz not null default portal.now(),
      event        text not null,
      actor_kind   text not null check (actor_kind in ('client', 'staff', 'system', 'nobody', 'link')),
      actor_id     text,
      actor_name   text,
      client_id    text,
      subject_id   text,
      subject      jsonb not null default '{}',
      address      text,
      agent        text,
      primary key (workspace_id, id)
    );
    create index on portal.client_activity_logs (workspace_id, client_id, id desc);
    create index on portal.client_activity_logs (workspace_id, at desc);
    create index client_activity_logs_of_subject
      on portal.client_activity_logs (workspace_id, client_id, subject_id, event);
    ${rowSecurity('client_activity_logs', app, { grant: 'select, insert', owner: 'select', perClient: false })}
    -- Rows of the whole workspace have no client: staff see them, clients do not.
    create policy client on portal.client_activity_logs as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id)
             or nullif(current_setting('portal.client_id', true), '') is null);

    create table portal.client_alerts (
      workspace_id text not null,
      id           bigint generated always as identity,
      at           timestamptz not null default portal.now(),
      kind         text not null,
      facts        jsonb not null,
      primary key (workspace_id, id)
    );
    ${rowSecurity('client_alerts', app, { grant: 'select, insert, delete', perClient: false })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_alerts, portal.client_activity_logs')
