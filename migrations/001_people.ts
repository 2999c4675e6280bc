import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/** The people of clients, the clients that each belongs to, and how they are invited or ask for access. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(
    [
      basics(app),
      users(app),
      emails(app),
      memberships(app),
      invitations(app),
      registrationCodes(app),
      registrations(app),
    ].join('\n\n'),
  )

const basics = (app: string) => `
    grant usage on schema portal to ${app};
    grant select on portal.migrations to ${app};

    -- Every default, policy and function asks this clock: see docs/decisions/one-clock.md.
    create function portal.now() returns timestamptz
    language sql stable parallel safe as $body$ select pg_catalog.now() $body$;`

const users = (app: string) => `
    create table portal.client_users (
      workspace_id   text not null,
      id             uuid not null,
      email          text not null check (email = lower(email)),
      name           text not null,
      password_hash  text,
      language       text,
      time_zone      text,
      theme          text check (theme in ('light', 'dark')),
      suspended_at   timestamptz,
      created_at     timestamptz not null default portal.now(),
      reminders      boolean not null default true,
      factors_end_at timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, email)
    );
    ${rowSecurity('client_users', app, { grant: 'select, insert, update', owner: 'select', perClient: false })}`

const emails = (app: string) => `
    -- Every address that an account has or had. They show which accounts belong to one human.
    create table portal.client_emails (
      workspace_id text not null,
      person_id    uuid not null,
      email        text not null,
      since        timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, email),
      foreign key (workspace_id, person_id) references portal.client_users on delete cascade
    );
    create index on portal.client_emails (workspace_id, email);
    ${rowSecurity('client_emails', app, { grant: 'select, delete', perClient: false })}

    create function portal.record_email() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      insert into portal.client_emails (workspace_id, person_id, email) values (new.workspace_id, new.id, new.email)
        on conflict do nothing;
      return null;
    end $body$;
    create trigger record_email after insert or update of email on portal.client_users
      for each row execute function portal.record_email();`

const memberships = (app: string) => `
    create table portal.client_memberships (
      workspace_id text not null,
      person_id    uuid not null,
      client_id    text not null,
      client_name  text not null,
      contact_id   text,
      role         text not null check (role in ('admin', 'approver', 'billing', 'member', 'viewer')),
      created_at   timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, client_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_memberships (workspace_id, client_id);
    create index on portal.client_memberships (workspace_id, client_id, contact_id) where contact_id is not null;
    ${rowSecurity('client_memberships', app, { owner: 'select', perClient: false })}`

const invitations = (app: string) => `
    create table portal.client_invitations (
      workspace_id         text not null,
      id                   uuid not null,
      token_hash           text not null,
      email                text not null,
      name                 text not null,
      client_id            text not null,
      client_name          text not null,
      contact_id           text,
      role                 text not null,
      invited_by           text not null,
      created_at           timestamptz not null default portal.now(),
      expires_at           timestamptz not null default portal.now() + interval '7 days',
      used_at              timestamptz,
      revoked_at           timestamptz,
      renewal_requested_at timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );
    create index client_invitations_waiting on portal.client_invitations (workspace_id, created_at desc)
      where used_at is null and revoked_at is null;
    create unique index client_invitations_one_open on portal.client_invitations (workspace_id, client_id, email)
      where used_at is null and revoked_at is null;
    ${rowSecurity('client_invitations', app, { grant: 'select, insert, update', owner: 'select', perClient: false })}`

const registrationCodes = (app: string) => `
    -- The code by which a client's people ask for access: found by its keyed hash, shown from its sealed value.
    create table portal.client_registration_codes (
      workspace_id text not null,
      client_id    text not null,
      client_name  text not null,
      code_hash    text not null,
      sealed       bytea not null,
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      primary key (workspace_id, client_id),
      unique (workspace_id, code_hash)
    );
    ${rowSecurity('client_registration_codes', app, { owner: 'none', perClient: false })}`

const registrations = (app: string) => `
    -- A row without a client was made by a wrong code: as much is stored, so that nobody can tell the difference.
    create table portal.client_registrations (
      workspace_id text not null,
      id           uuid not null,
      email        text not null,
      name         text not null,
      language     text not null,
      client_id    text,
      client_name  text,
      token_hash   text not null,
      created_at   timestamptz not null default portal.now(),
      confirmed_at timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );
    ${rowSecurity('client_registrations', app, { owner: 'select', perClient: false })}
    create policy prune on portal.client_registrations for delete to current_user
      using (confirmed_at is null and created_at < portal.now() - interval '7 days');`

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_registrations, portal.client_registration_codes, portal.client_invitations,
      portal.client_memberships, portal.client_emails, portal.client_users;
    drop function portal.record_email, portal.now;
  `)
