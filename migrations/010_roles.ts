import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What a workspace calls a role, and where the role may something else than its section says. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_roles (
      workspace_id text not null,
      role         text not null check (role in ('admin', 'approver', 'billing', 'member', 'viewer')),
      name         text check (name <> ''),
      permissions  jsonb not null default '{}',
      changed_at   timestamptz not null default now(),
      changed_by   text not null,
      primary key (workspace_id, role)
    );
    grant select, insert, update on portal.client_roles to ${app};
    alter table portal.client_roles enable row level security, force row level security;
    create policy workspace on portal.client_roles to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_roles for select to current_user using (true);
    ${define(`, 'rights', (
      select coalesce(jsonb_object_agg(r.role, jsonb_build_object('name', r.name, 'permissions', r.permissions)), '{}')
      from portal.client_roles r where r.workspace_id = s.workspace_id)`)}`)

export const down = (db: Knex) => db.raw(`${define('')}; drop table portal.client_roles`)

/** As in 003, with more to tell. */
const define = (more: string) => `
  create or replace function portal.enter(hash text) returns jsonb
  language plpgsql stable security definer set search_path = '' as $body$begin return (
  select jsonb_build_object(
    'sess', s.sess,
    'person', (
      select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language,
                                'timeZone', u.time_zone, 'theme', u.theme, 'suspended', u.suspended_at is not null)
      from portal.client_users u where u.workspace_id = s.workspace_id and u.id = s.person_id),
    'memberships', (
      select coalesce(jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role,
                                                   'contact', m.contact_id)
                                order by m.client_name, m.client_id), '[]')
      from portal.client_memberships m where m.workspace_id = s.workspace_id and m.person_id = s.person_id),
    'settings', (
      select coalesce(jsonb_agg(jsonb_build_array(t.client_id, t.person_id, t.name, t.value)), '[]')
      from portal.client_portal_settings t
      where t.workspace_id = s.workspace_id and t.person_id in ('', s.person_id::text)
        and (t.client_id = '' or t.client_id in (
          select m.client_id from portal.client_memberships m
          where m.workspace_id = s.workspace_id and m.person_id = s.person_id)))${more})
  from portal.client_sessions s
  where s.sid = hash and s.expire > now() and s.started_at > now() - interval '30 days'); end$body$`
