import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What was sealed with an older secret is sealed anew with the first: in every workspace that has anything. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create function portal.workspace_ids() returns setof text
    language sql stable security definer set search_path = '' as $body$
      select workspace_id from portal.client_users
      union select workspace_id from portal.client_keys
      union select workspace_id from portal.client_workspaces
    $body$;
    revoke execute on function portal.workspace_ids from public;
    grant execute on function portal.workspace_ids to ${app};
    grant update (sealed) on portal.client_keys to ${app};
  `)

export const down = (db: Knex, { app }: Roles) =>
  db.raw(`
    revoke update (sealed) on portal.client_keys from ${app};
    drop function portal.workspace_ids;
  `)
