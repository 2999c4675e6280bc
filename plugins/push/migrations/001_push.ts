import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** The devices that people get push notifications on. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_push_devices (
      workspace_id text not null,
      id           bigint generated always as identity,
      person_id    uuid not null,
      endpoint     text not null,
      p256dh       text not null,
      auth         text not null,
      label        text not null,
      hidden       boolean not null default false,
      session      text,
      last_message text,
      since        timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create unique index on portal.client_push_devices (workspace_id, endpoint);
    create index on portal.client_push_devices (workspace_id, person_id);
    create index on portal.client_push_devices (session);
    ${rowSecurity('client_push_devices', app, { perClient: false })}

    -- A session that somebody ends, and not only time, takes its device along.
    create function portal.end_push_of_session() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      if old.expire > portal.now() then
        delete from portal.client_push_devices where workspace_id = old.workspace_id and session = old.sid;
      end if;
      return null;
    end $body$;
    create trigger end_push_of_session after delete on portal.client_sessions
      for each row when (old.person_id is not null) execute function portal.end_push_of_session();
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop trigger end_push_of_session on portal.client_sessions;
    drop function portal.end_push_of_session;
    drop table portal.client_push_devices;
  `)
