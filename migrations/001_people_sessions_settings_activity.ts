import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Every table has `workspace_id` in its key and shows, under forced row-level security, only the rows of the scope
 * that a transaction has entered. Sessions are reached by the hash of their id only. The owner may read: `enter` runs
 * as the owner.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_users (
      workspace_id  text not null,
      id            uuid not null,
      email         text not null check (email = lower(email)),
      name          text not null,
      password_hash text,
      language      text,
      time_zone     text,
      theme         text check (theme in ('light', 'dark')),
      suspended_at  timestamptz,
      created_at    timestamptz not null default now(),
      primary key (workspace_id, id),
      unique (workspace_id, email)
    );

    create table portal.client_memberships (
      workspace_id text not null,
      person_id    uuid not null,
      client_id    text not null,
      client_name  text not null,
      contact_id   text,
      role         text not null check (role in ('admin', 'approver', 'billing', 'member', 'viewer')),
      created_at   timestamptz not null default now(),
      primary key (workspace_id, person_id, client_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_memberships (workspace_id, client_id);

    create table portal.client_invitations (
      workspace_id text not null,
      id           uuid not null,
      token_hash   text not null,
      email        text not null,
      name         text not null,
      client_id    text not null,
      client_name  text not null,
      contact_id   text,
      role         text not null,
      invited_by   text not null,
      created_at   timestamptz not null default now(),
      expires_at   timestamptz not null default now() + interval '7 days',
      used_at      timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );

    create table portal.client_sessions (
      sid          text primary key,
      sess         jsonb not null,
      expire       timestamptz not null,
      started_at   timestamptz not null default now(),
      workspace_id text generated always as (sess ->> 'workspace') stored,
      person_id    uuid generated always as ((sess ->> 'person')::uuid) stored
    );
    create index on portal.client_sessions (expire);
    create index on portal.client_sessions (workspace_id, person_id);

    create table portal.client_portal_settings (
      workspace_id text not null,
      client_id    text not null default '',
      person_id    text not null default '',
      name         text not null,
      value        jsonb not null,
      changed_at   timestamptz not null default now(),
      changed_by   text not null,
      primary key (workspace_id, client_id, person_id, name)
    );

    create table portal.client_activity_logs (
      workspace_id text not null,
      id           bigint generated always as identity,
      at           timestamptz not null default now(),
      event        text not null,
      actor_kind   text not null check (actor_kind in ('client', 'staff', 'system', 'nobody')),
      actor_id     text,
      actor_name   text,
      client_id    text,
      subject_id   text,
      subject      jsonb not null default '{}',
      address      text,
      agent        text,
      primary key (workspace_id, id)
    );
    create index on portal.client_activity_logs (workspace_id, client_id, id desc);
    create index on portal.client_activity_logs (workspace_id, at desc);

    grant usage on schema portal to ${app};
    grant select on portal.migrations to ${app};
    grant select, insert, update on portal.client_users, portal.client_memberships, portal.client_invitations to ${app};
    grant select, insert, update, delete on portal.client_sessions to ${app};
    grant select, insert, update, delete on portal.client_portal_settings to ${app};
    grant select, insert on portal.client_activity_logs to ${app};

    ${['client_users', 'client_memberships', 'client_invitations', 'client_portal_settings', 'client_activity_logs']
      .map(
        table => `
    alter table portal.${table} enable row level security, force row level security;
    create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.${table} for select to current_user using (true);`,
      )
      .join('')}

    create policy client on portal.client_activity_logs as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id)
             or nullif(current_setting('portal.client_id', true), '') is null);

    -- All that a request needs to know of who sends it, in one round trip. Nothing for a session whose time is over.
    create function portal.enter(hash text) returns jsonb
    language sql stable security definer set search_path = '' as $$
      select jsonb_build_object(
        'sess', s.sess,
        'person', (
          select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language,
                                    'timeZone', u.time_zone, 'theme', u.theme, 'suspended', u.suspended_at is not null)
          from portal.client_users u where u.workspace_id = s.workspace_id and u.id = s.person_id),
        'memberships', (
          select coalesce(jsonb_agg(jsonb_build_object('client', m.client_id, 'name', m.client_name, 'role', m.role)
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
      where s.sid = hash and s.expire > now() and s.started_at > now() - interval '30 days'
    $$;
    revoke execute on function portal.enter from public;
    grant execute on function portal.enter to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.enter;
    drop table portal.client_activity_logs, portal.client_portal_settings, portal.client_sessions,
      portal.client_invitations, portal.client_memberships, portal.client_users;
  `)
