import type { Knex } from 'knex'

/**
 * Tells every instance, when the transaction commits, that a session has ended or that somebody may see more or less than
 * before: open pages stop listening then. It tells ids, and nothing of what they stand for.
 */
export const up = (db: Knex) =>
  db.raw(`
    create function portal.tell_access() returns trigger
    language plpgsql set search_path = '' as $body$
    begin
      perform pg_notify('portal_live', jsonb_build_array('access', coalesce(new.workspace_id, old.workspace_id))::text);
      return null;
    end $body$;
    ${accessTables
      .map(
        table => `create trigger tell_access after insert or update or delete on portal.${table}
      for each row execute function portal.tell_access();`,
      )
      .join('\n    ')}
    create trigger tell_access after update of suspended_at on portal.client_users
      for each row when (old.suspended_at is distinct from new.suspended_at) execute function portal.tell_access();

    create function portal.tell_session_end() returns trigger
    language plpgsql set search_path = '' as $body$
    begin
      perform pg_notify('portal_live', jsonb_build_array('ended', old.sid)::text);
      return null;
    end $body$;
    create trigger tell_session_end after delete on portal.client_sessions
      for each row when (old.person_id is not null and old.sid not like 'api.%')
      execute function portal.tell_session_end();
  `)

const accessTables = ['client_memberships', 'client_portal_settings', 'client_roles']

export const down = (db: Knex) =>
  db.raw(`
    drop trigger tell_session_end on portal.client_sessions;
    drop trigger tell_access on portal.client_users;
    ${accessTables.map(table => `drop trigger tell_access on portal.${table};`).join('\n    ')}
    drop function portal.tell_session_end, portal.tell_access;
  `)
