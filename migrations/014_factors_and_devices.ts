import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * What proves a person beside their first factor: an authenticator app (its key sealed, `counter` the last step used),
 * passkeys (their public key, `counter` the signature's), and recovery codes, which are gone when used. And the devices
 * that somebody has signed in from, by the hash of a cookie.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_factors (
      workspace_id text not null,
      id           text not null,
      person_id    uuid not null,
      kind         text not null check (kind in ('app', 'passkey', 'recovery')),
      name         text,
      key          bytea,
      counter      bigint not null default 0,
      details      jsonb not null default '{}',
      created_at   timestamptz not null default now(),
      confirmed_at timestamptz,
      used_at      timestamptz,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_factors (workspace_id, person_id);
    create unique index on portal.client_factors (workspace_id, person_id) where kind = 'app';

    create table portal.client_devices (
      workspace_id text not null,
      person_id    uuid not null,
      hash         text not null,
      first_at     timestamptz not null default now(),
      last_at      timestamptz not null default now(),
      primary key (workspace_id, person_id, hash),
      foreign key (workspace_id, person_id) references portal.client_users
    );

    ${['client_factors', 'client_devices']
      .map(
        table => `
    grant select, insert, update, delete on portal.${table} to ${app};
    alter table portal.${table} enable row level security, force row level security;
    create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));`,
      )
      .join('')}
    create policy owner on portal.client_factors for select to current_user using (true);
    ${define(`${rights}, 'factor', exists (
      select from portal.client_factors f
      where f.workspace_id = s.workspace_id and f.person_id = s.person_id and f.confirmed_at is not null)`)}`)

export const down = (db: Knex) => db.raw(`${define(rights)}; drop table portal.client_devices, portal.client_factors`)

const rights = `, 'rights', (
      select coalesce(jsonb_object_agg(r.role, jsonb_build_object('name', r.name, 'permissions', r.permissions)), '{}')
      from portal.client_roles r where r.workspace_id = s.workspace_id)`

/** As in 010, with more to tell. */
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
