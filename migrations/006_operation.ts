import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/** Whether the portal is on, and for which workspaces; which secret its instances use. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    -- The accepted audit, and the CRM's schema as it was then: one row for the whole CRM, or none.
    create table portal.activation (
      singleton   boolean primary key default true check (singleton),
      accepted_at timestamptz not null default portal.now(),
      accepted_by text not null,
      fingerprint text not null,
      audit       jsonb not null,
      crm_schema  jsonb not null
    );
    grant select on portal.activation to ${app};

    -- The workspaces that people have used, and when the portal was last switched off for them.
    create table portal.client_workspaces (
      workspace_id    text primary key,
      slug            text not null,
      switched_off_at timestamptz
    );
    ${rowSecurity('client_workspaces', app, { grant: 'select, insert, update', perClient: false })}

    -- By hash, those of before too. The portal's role reads and writes them by portal.use_secret alone.
    create table portal.secret_in_use (
      id       text primary key,
      position bigint generated always as identity,
      since    timestamptz not null default portal.now()
    );

    ${listWorkspaces}
    ${switchOff}
    ${useSecret}
    revoke execute on function portal.workspace_ids, portal.used_workspaces, portal.switch_off, portal.use_secret
      from public;
    grant execute on function portal.workspace_ids, portal.used_workspaces, portal.switch_off, portal.use_secret
      to ${app};
  `)

const listWorkspaces = `
    create function portal.workspace_ids() returns setof text
    language sql stable security definer set search_path = '' as $body$
      select workspace_id from portal.client_users
      union select workspace_id from portal.client_keys
      union select workspace_id from portal.client_workspaces
    $body$;

    create function portal.used_workspaces() returns table (id text, slug text)
    language sql stable security definer set search_path = ''
    as $body$ select w.workspace_id, w.slug from portal.client_workspaces w $body$;`

/** Ends every session and refresh token of these workspaces, or of all for null. Personal API tokens stay. */
const switchOff = `
    create function portal.switch_off(workspaces text[]) returns bigint
    language plpgsql security definer set search_path = '' as $body$
    declare ended bigint;
    begin
      update portal.client_workspaces w set switched_off_at = portal.now()
        where workspaces is null or w.workspace_id = any(workspaces);
      delete from portal.client_sessions s
        where coalesce(s.workspace_id, s.sess -> 'staff' ->> 'of') is not null
          and (workspaces is null or coalesce(s.workspace_id, s.sess -> 'staff' ->> 'of') = any(workspaces))
          and not exists (
            select from portal.client_api_tokens t
            where t.workspace_id = s.workspace_id and t.id::text = s.sess ->> 'api' and t.kind = 'personal');
      get diagnostics ended = row_count;
      delete from portal.client_api_tokens t
        where t.kind = 'sign-in' and (workspaces is null or t.workspace_id = any(workspaces));
      return ended;
    end $body$;`

/**
 * Whether the secret in use is one of these, the first of which is then in use. Null where none is in use yet, unless
 * the caller may begin. So only an instance that knows the current secret can add a newer one.
 */
const useSecret = `
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
    $body$;`

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.workspace_ids, portal.used_workspaces, portal.switch_off, portal.use_secret;
    drop table portal.secret_in_use, portal.client_workspaces, portal.activation;
  `)
