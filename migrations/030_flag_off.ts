import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Which workspaces people have used, by their slugs, and when the portal was last switched off for them. Switching off
 * ends every session and every refresh token there, in one statement, so that nothing from before works when it is on
 * again. Personal API tokens stay.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_workspaces (
      workspace_id text primary key,
      slug         text not null,
      switched_off_at timestamptz
    );
    alter table portal.client_workspaces enable row level security, force row level security;
    create policy workspace on portal.client_workspaces to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_workspaces to current_user using (true);
    grant select, insert, update on portal.client_workspaces to ${app};

    create function portal.used_workspaces() returns table (id text, slug text)
    language sql stable security definer set search_path = ''
    as $body$ select w.workspace_id, w.slug from portal.client_workspaces w $body$;

    -- Null means all of them.
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
    end $body$;

    revoke execute on function portal.used_workspaces, portal.switch_off from public;
    grant execute on function portal.used_workspaces, portal.switch_off to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.switch_off;
    drop function portal.used_workspaces;
    drop table portal.client_workspaces;
  `)
