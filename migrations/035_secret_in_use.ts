import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Which secret the instances seal with now, by a hash of it, so that one that was started with another secret notices. It
 * is replaced only by an instance that knows it: the portal's role reads and writes it by this function alone.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.secret_in_use (
      only_one boolean primary key default true check (only_one),
      id       text not null,
      since    timestamptz not null default portal.now()
    );
    create function portal.use_secret(ids text[], may_begin boolean) returns boolean
    language plpgsql security definer set search_path = '' as $body$
      declare current text;
      begin
        select s.id into current from portal.secret_in_use s;
        if current = ids[1] then return true; end if;
        if current is null and may_begin then
          insert into portal.secret_in_use (id) values (ids[1]) on conflict do nothing;
          select s.id into current from portal.secret_in_use s;
        end if;
        if current is null or current <> all(ids) then return false; end if;
        update portal.secret_in_use set id = ids[1], since = portal.now() where id = current and id <> ids[1];
        return true;
      end
    $body$;
    revoke execute on function portal.use_secret from public;
    grant execute on function portal.use_secret to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.use_secret;
    drop table portal.secret_in_use;
  `)
