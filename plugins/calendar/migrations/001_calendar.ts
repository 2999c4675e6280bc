import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** Whose calendar is at which address. A new password or e-mail address ends it. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_calendars (
      workspace_id text not null,
      person_id    uuid not null,
      hash         text not null,
      created_at   timestamptz not null default portal.now(),
      primary key (workspace_id, person_id),
      unique (workspace_id, hash),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_calendars', app, { perClient: false })}

    create function portal.end_calendar() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      delete from portal.client_calendars where workspace_id = new.workspace_id and person_id = new.id;
      return null;
    end $body$;
    create trigger end_calendar after update of password_hash, email on portal.client_users
      for each row when (old.password_hash is distinct from new.password_hash or old.email <> new.email
                          or new.password_hash = '')
      execute function portal.end_calendar();
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop trigger end_calendar on portal.client_users;
    drop function portal.end_calendar;
    drop table portal.client_calendars;
  `)
