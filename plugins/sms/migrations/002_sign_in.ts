import type { Knex } from 'knex'

/** Whether a number may be used to sign in: until its owner takes that back, or has a new password or address. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_sms_numbers add sign_in boolean not null default false;

    create function portal.end_sign_in_by_text() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      -- An intruder may have entered the number.
      delete from portal.client_sms_numbers
        where workspace_id = new.workspace_id and person_id = new.id and new.password_hash = '';
      update portal.client_sms_numbers set sign_in = false
        where workspace_id = new.workspace_id and person_id = new.id and sign_in;
      return null;
    end $body$;
    create trigger end_sign_in_by_text after update of password_hash, email on portal.client_users
      for each row when (old.password_hash is distinct from new.password_hash or old.email <> new.email
                          or new.password_hash = '')
      execute function portal.end_sign_in_by_text();
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop trigger end_sign_in_by_text on portal.client_users;
    drop function portal.end_sign_in_by_text;
    alter table portal.client_sms_numbers drop column sign_in;
  `)
