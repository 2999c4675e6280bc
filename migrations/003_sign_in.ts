import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/** Sessions, and what people prove themselves with. Everything secret is stored as a hash or sealed. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(
    [
      sessions(app),
      tokens(app),
      factors(app),
      devices(app),
      apiTokens(app),
      loadingSessions(app),
      staff(app),
      staffFactors(app),
    ].join('\n\n'),
  )

const sessions = (app: string) => `
    -- Without row security: a session is reached by the hash of its id only, before its workspace is known.
    create table portal.client_sessions (
      sid          text primary key,
      sess         jsonb not null,
      expire       timestamptz not null,
      started_at   timestamptz not null default portal.now(),
      workspace_id text generated always as (sess ->> 'workspace') stored,
      person_id    uuid generated always as ((sess ->> 'person')::uuid) stored
    );
    create index on portal.client_sessions (expire);
    create index on portal.client_sessions (workspace_id, person_id);
    grant select, insert, update, delete on portal.client_sessions to ${app};`

const tokens = (app: string) => `
    -- Links and codes that were mailed: each works once, until it expires.
    create table portal.client_tokens (
      workspace_id text not null,
      id           uuid not null,
      kind         text not null
        check (kind in ('sign-in', 'reset', 'address', 'undo', 'unlock', 'step-up', 'device', 'link')),
      person_id    uuid,
      email        text not null,
      hash         text not null,
      code_hash    text,
      attempts     integer not null default 0,
      created_at   timestamptz not null default portal.now(),
      expires_at   timestamptz not null,
      used_at      timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, hash)
    );
    create index on portal.client_tokens (workspace_id, person_id, kind);
    create index on portal.client_tokens (workspace_id, expires_at);
    ${rowSecurity('client_tokens', app, { owner: 'select', perClient: false })}
    create policy prune on portal.client_tokens for delete to current_user
      using (expires_at < portal.now() - interval '1 day');`

const factors = (app: string) => `
    -- The counter is the last time step used of an authenticator app, or the signature count of a passkey.
    create table portal.client_factors (
      workspace_id text not null,
      id           text not null,
      person_id    uuid not null,
      kind         text not null check (kind in ('app', 'passkey', 'recovery')),
      name         text,
      key          bytea,
      counter      bigint not null default 0,
      details      jsonb not null default '{}',
      created_at   timestamptz not null default portal.now(),
      confirmed_at timestamptz,
      used_at      timestamptz,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_factors (workspace_id, person_id);
    create unique index on portal.client_factors (workspace_id, person_id) where kind = 'app';
    ${rowSecurity('client_factors', app, { owner: 'select', perClient: false })}`

const devices = (app: string) => `
    create table portal.client_devices (
      workspace_id  text not null,
      person_id     uuid not null,
      hash          text not null,
      first_seen_at timestamptz not null default portal.now(),
      last_seen_at  timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, hash),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_devices', app, { owner: 'none', perClient: false })}`

const apiTokens = (app: string) => `
    -- The access token that a request carries is a session whose sid is 'api.' and its hash.
    create table portal.client_api_tokens (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      client_id    text not null,
      kind         text not null check (kind in ('sign-in', 'personal')),
      name         text not null,
      scopes       text[],
      verified_by  text not null,
      refresh_hash text,
      rotated_at   timestamptz not null default portal.now(),
      created_at   timestamptz not null default portal.now(),
      expires_at   timestamptz not null,
      used_at      timestamptz,
      used_from    text,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users on delete cascade
    );
    create index on portal.client_api_tokens (workspace_id, person_id);
    ${rowSecurity('client_api_tokens', app, { perClient: false })}`

const loadingSessions = (app: string) => `
    ${endApiTokens}
    ${loadSession()}
    grant execute on function portal.load_session to ${app};`

const staff = (app: string) => `
    -- Staff of a portal that runs alone.
    create table portal.client_staff (
      workspace_id  text not null,
      id            uuid not null,
      email         text not null check (email = lower(email)),
      name          text not null,
      password_hash text not null,
      admin         boolean not null,
      created_at    timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      unique (workspace_id, email)
    );
    ${rowSecurity('client_staff', app, { grant: 'select, insert, update', owner: 'none', perClient: false })}`

const staffFactors = (app: string) => `
    -- The id of a person is text: 'crm:' and an id for the CRM's own staff, who are in no table here.
    create table portal.client_staff_factors (
      workspace_id text not null,
      id           text not null,
      person_id    text not null,
      kind         text not null check (kind in ('app', 'passkey', 'recovery')),
      name         text,
      key          bytea,
      counter      bigint not null default 0,
      details      jsonb not null default '{}',
      created_at   timestamptz not null default portal.now(),
      confirmed_at timestamptz,
      used_at      timestamptz,
      primary key (workspace_id, id)
    );
    create index on portal.client_staff_factors (workspace_id, person_id);
    create unique index on portal.client_staff_factors (workspace_id, person_id) where kind = 'app';
    ${rowSecurity('client_staff_factors', app, { owner: 'none', perClient: false })}`

/** A new password, address or second factor ends all API tokens of a person. */
const endApiTokens = `
    create function portal.end_api_tokens() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      delete from portal.client_api_tokens where workspace_id = new.workspace_id and person_id = new.id;
      delete from portal.client_sessions
        where workspace_id = new.workspace_id and person_id = new.id and sid like 'api.%';
      return null;
    end $body$;
    create trigger end_api_tokens after update of password_hash, email on portal.client_users
      for each row when (old.password_hash is distinct from new.password_hash or old.email <> new.email)
      execute function portal.end_api_tokens();

    create function portal.end_api_tokens_of_factor() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    declare its record := coalesce(new, old);
    begin
      delete from portal.client_api_tokens
        where workspace_id = its.workspace_id and person_id = its.person_id;
      delete from portal.client_sessions
        where workspace_id = its.workspace_id and person_id = its.person_id and sid like 'api.%';
      return null;
    end $body$;
    create trigger end_api_tokens_on_factor_added after insert on portal.client_factors
      for each row when (new.confirmed_at is not null) execute function portal.end_api_tokens_of_factor();
    create trigger end_api_tokens_on_factor_confirmed after update of confirmed_at on portal.client_factors
      for each row when (old.confirmed_at is null and new.confirmed_at is not null)
      execute function portal.end_api_tokens_of_factor();
    create trigger end_api_tokens_on_factor_removed after delete on portal.client_factors
      for each row when (old.confirmed_at is not null) execute function portal.end_api_tokens_of_factor();`

/**
 * Everything that a request needs to know about its session, in one round trip; null where the session has ended. In
 * PL/pgSQL, because a connection plans it once: an SQL function is planned with every call before PostgreSQL 18.
 *
 * `more` adds fields to the person, for a later migration that replaces it.
 */
export const loadSession = (create = 'create function', more = '') => `
    ${create} portal.load_session(hash text) returns jsonb
    language plpgsql stable security definer set search_path = '' as $body$begin return (
      select jsonb_build_object(
        'sess', s.sess,
        'now', portal.now(),
        'person', (
          select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'language', u.language,
                                    'timeZone', u.time_zone, 'theme', u.theme, ${more}'suspended', u.suspended_at is not null)
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
              where m.workspace_id = s.workspace_id and m.person_id = s.person_id))),
        'rights', (
          select coalesce(jsonb_object_agg(r.role, jsonb_build_object('name', r.name,
                                                                      'permissions', r.permissions)), '{}')
          from portal.client_roles r where r.workspace_id = s.workspace_id),
        'factor', exists (
          select from portal.client_factors f
          where f.workspace_id = s.workspace_id and f.person_id = s.person_id and f.confirmed_at is not null))
      from portal.client_sessions s
      where s.sid = hash and s.expire > portal.now() and s.started_at > portal.now() - interval '30 days');
    end$body$;
    revoke execute on function portal.load_session from public;`

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.load_session;
    drop trigger end_api_tokens on portal.client_users;
    drop table portal.client_staff_factors, portal.client_staff, portal.client_api_tokens, portal.client_devices,
      portal.client_factors, portal.client_tokens, portal.client_sessions;
    drop function portal.end_api_tokens, portal.end_api_tokens_of_factor;
  `)
