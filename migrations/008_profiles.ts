import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'
import { loadSession } from './003_sign_in.ts'

/** What people say of themselves: phone and photo, and what of it the CRM does not have yet. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    alter table portal.client_users add phone text, add photo_version text;

    create table portal.client_photos (
      workspace_id text not null,
      person_id    uuid not null,
      type         text not null check (type in ('image/jpeg', 'image/png', 'image/webp')),
      bytes        bytea not null check (octet_length(bytes) <= 1000000),
      changed_at   timestamptz not null default portal.now(),
      primary key (workspace_id, person_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_photos', app, { owner: 'none', perClient: false })}

    -- A row is a field of a contact that the CRM did not take, until staff have seen it.
    create table portal.client_contact_changes (
      workspace_id text not null,
      person_id    uuid not null,
      client_id    text not null,
      contact_id   text not null,
      field        text not null check (field in ('name', 'email', 'phone')),
      value        text not null,
      changed_at   timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, client_id, field),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_contact_changes', app, { owner: 'none' })}

    ${loadSession('create or replace function', "'phone', u.phone, 'photo', u.photo_version, ")}
  `)

export const down = (db: Knex) =>
  db.raw(`
    ${loadSession('create or replace function')}
    drop table portal.client_contact_changes, portal.client_photos;
    alter table portal.client_users drop phone, drop photo_version;
  `)
