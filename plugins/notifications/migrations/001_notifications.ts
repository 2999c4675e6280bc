import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** What people are told, what they were told once already, and how they want to be told. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_notifications (
      workspace_id text not null,
      id           bigint generated always as identity,
      client_id    text not null,
      person_id    uuid not null,
      kind         text not null,
      section      text not null,
      record_id    text not null,
      rest         text not null default '',
      facts        jsonb not null,
      count        integer not null default 1,
      at           timestamptz not null default portal.now(),
      read_at      timestamptz,
      shown        boolean not null default true,
      in_summary   boolean not null default false,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    -- Of one kind about one record, one is unread at a time: it counts.
    create unique index client_notifications_unread
      on portal.client_notifications (workspace_id, person_id, client_id, kind, section, record_id) where read_at is null;
    create index client_notifications_newest
      on portal.client_notifications (workspace_id, person_id, client_id, at desc, id desc) where shown;
    create index client_notifications_in_summary
      on portal.client_notifications (workspace_id, person_id, at) where in_summary;
    create index on portal.client_notifications (at);
    ${rowSecurity('client_notifications', app)}

    create table portal.client_notifications_told (
      workspace_id text not null,
      person_id    uuid not null,
      client_id    text not null,
      kind         text not null,
      key          text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, client_id, kind, key),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_notifications_told (at);
    ${rowSecurity('client_notifications_told', app, { grant: 'select, insert, delete' })}

    -- What waits to be sent by a channel of a plugin, and what became of it.
    create table portal.client_notification_messages (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      person_id    uuid not null,
      channel      text not null,
      kind         text not null,
      section      text not null,
      record_id    text not null,
      rest         text not null default '',
      facts        jsonb not null,
      at           timestamptz not null default portal.now(),
      attempts     integer not null default 0,
      sent_at      timestamptz,
      failed_at    timestamptz,
      error        text,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_notification_messages (workspace_id, person_id);
    create index on portal.client_notification_messages (at);
    ${rowSecurity('client_notification_messages', app, { perClient: false })}

    -- An empty person is the workspace.
    create table portal.client_notification_choices (
      workspace_id text not null,
      person_id    text not null default '',
      choices      jsonb not null default '{}',
      quiet        jsonb,
      summary      jsonb not null default '{}',
      changed_at   timestamptz not null default portal.now(),
      primary key (workspace_id, person_id)
    );
    ${rowSecurity('client_notification_choices', app, { perClient: false })}

    -- One summary for each person and day.
    create table portal.client_notification_summaries (
      workspace_id text not null,
      person_id    uuid not null,
      day          date not null,
      primary key (workspace_id, person_id, day),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_notification_summaries', app, { grant: 'select, insert, delete', perClient: false })}
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_notification_summaries, portal.client_notification_choices,
      portal.client_notification_messages, portal.client_notifications_told, portal.client_notifications;
  `)
