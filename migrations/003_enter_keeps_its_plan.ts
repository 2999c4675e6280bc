import type { Knex } from 'knex'

/**
 * `portal.enter` in PL/pgSQL: a connection plans it once, where an SQL function before PostgreSQL 18 is planned with
 * every call. It tells also which of the CRM's contacts somebody is. Owner and grants stay.
 */
export const up = (db: Knex) =>
  db.raw(define('plpgsql', `begin return (${statement(`, 'contact', m.contact_id`)}); end`))

export const down = (db: Knex) => db.raw(define('sql', statement('')))

const define = (language: string, body: string) => `
  create or replace function portal.enter(hash text) returns jsonb
  language ${language} stable security definer set search_path = '' as $body$${body}$body$`

const statement = (more: string) => `
  select jsonb_build_object(
    'sess', s.sess,
    'person', (
      select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language,
                                'timeZone', u.time_zone, 'theme', u.theme, 'suspended', u.suspended_at is not null)
      from portal.client_users u where u.workspace_id = s.workspace_id and u.id = s.person_id),
    'memberships', (
      select coalesce(jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role${more})
                                order by m.client_name, m.client_id), '[]')
      from portal.client_memberships m where m.workspace_id = s.workspace_id and m.person_id = s.person_id),
    'settings', (
      select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
      from portal.client_portal_settings t
      where t.workspace_id = s.workspace_id and t.person_id in ('', s.person_id::text)
        and (t.client_id = '' or t.client_id in (
          select m.client_id from portal.client_memberships m
          where m.workspace_id = s.workspace_id and m.person_id = s.person_id))))
  from portal.client_sessions s
  where s.sid = hash and s.expire > now() and s.started_at > now() - interval '30 days'`
