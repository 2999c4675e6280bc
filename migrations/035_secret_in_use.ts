import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Which secret the instances seal with now, by a hash of it, and which ones they sealed with before, so that an instance
 * that was started with another secret notices. A newer one is added only by an instance that knows the one in use: the
 * portal's role reads and writes this by the function alone, which gives null where no secret is in use yet.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.secret_in_use (
      id       text primary key,
      position bigint generated always as identity,
      since    timestamptz not null default portal.now()
    );
    create function portal.use_secret(ids text[], may_begin boolean) returns boolean
    language plpgsql security definer set search_path = '' as $body$
      declare current text;
      begin
        select s.id into current from portal.secret_in_use s order by s.position desc limit 1;
        if current is null and may_begin then
          lock table portal.secret_in_use in exclusive mode;
          if not exists (select from portal.secret_in_use) then
            insert into portal.secret_in_use (id) values (ids[1]);
          end if;
          select s.id into current from portal.secret_in_use s order by s.position desc limit 1;
        end if;
        if current is null then return null; end if;
        if current <> all(ids) then return false; end if;
        insert into portal.secret_in_use (id) values (ids[1]) on conflict do nothing;
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
