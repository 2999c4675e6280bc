import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** Conversations between clients and staff, for a CRM that has none. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_message_threads (
      workspace_id  text not null,
      id            uuid not null,
      client_id     text not null,
      client_name   text not null,
      title         text not null check (title <> ''),
      -- The record that it is about.
      about_kind    text,
      about_id      text,
      about_number  text,
      last_seq      integer not null default 0,
      last_at       timestamptz not null default portal.now(),
      last_kind     text not null check (last_kind in ('client', 'staff')),
      last_name     text not null,
      last_text     text not null default '',
      -- Since when a client waits for an answer.
      waiting_since timestamptz,
      -- Which of the staff answers.
      staff_id      text,
      staff_name    text,
      at            timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      check ((about_kind is null) = (about_id is null))
    );
    create unique index on portal.client_message_threads (workspace_id, client_id, about_kind, about_id)
      where about_kind is not null;
    create index on portal.client_message_threads (workspace_id, client_id, last_at desc, id desc);
    create index on portal.client_message_threads (workspace_id, last_at desc, id desc);
    create index client_message_threads_waiting on portal.client_message_threads (workspace_id, waiting_since, id)
      where waiting_since is not null;
    create index client_message_threads_staff on portal.client_message_threads (workspace_id, staff_id, last_at desc, id desc)
      where staff_id is not null;
    ${rowSecurity('client_message_threads', app, { many: true, grant: 'select, insert, update' })}

    -- Numbered within their conversation, whose row is locked: without a gap, and in the order in which they were stored.
    create table portal.client_messages (
      workspace_id   text not null,
      thread_id      uuid not null,
      seq            integer not null,
      id             uuid not null,
      client_id      text not null,
      author_kind    text not null check (author_kind in ('client', 'staff')),
      author_id      text not null,
      author_name    text not null,
      text           text not null default '',
      by_mail        boolean not null default false,
      -- Seconds for which a client had waited for this answer.
      answered_after integer,
      at             timestamptz not null default portal.now(),
      primary key (workspace_id, thread_id, seq),
      unique (workspace_id, id),
      foreign key (workspace_id, thread_id) references portal.client_message_threads
    );
    create index on portal.client_messages (workspace_id, client_id, author_id, at desc);
    create index client_messages_answers on portal.client_messages (workspace_id, at desc) where answered_after is not null;
    ${rowSecurity('client_messages', app, { many: true, grant: 'select, insert' })}

    create table portal.client_message_files (
      workspace_id text not null,
      message_id   uuid not null,
      file_id      uuid not null,
      client_id    text not null,
      primary key (workspace_id, message_id, file_id),
      foreign key (workspace_id, message_id) references portal.client_messages (workspace_id, id),
      foreign key (workspace_id, file_id) references portal.client_files
    );
    create unique index on portal.client_message_files (workspace_id, file_id);
    ${rowSecurity('client_message_files', app, { grant: 'select, insert' })}

    -- Who takes part, here or in the CRM: how far they have read, and how far they were mailed.
    create table portal.client_message_readers (
      workspace_id text not null,
      client_id    text not null,
      thread_id    text not null,
      kind         text not null check (kind in ('client', 'staff')),
      person_id    text not null,
      name         text not null,
      wrote        boolean not null default false,
      -- Whether they are mailed of what is new.
      follows      boolean not null default false,
      read_to      integer not null default 0,
      told_to      integer not null default 0,
      primary key (workspace_id, client_id, thread_id, kind, person_id)
    );
    create index on portal.client_message_readers (workspace_id, kind, person_id) where follows;
    ${rowSecurity('client_message_readers', app, { many: true })}

    -- What people were writing. A thread of the empty id is a new conversation.
    create table portal.client_message_drafts (
      workspace_id text not null,
      client_id    text not null,
      person_id    text not null,
      thread_id    text not null,
      title        text not null default '',
      text         text not null default '',
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, client_id, person_id, thread_id)
    );
    ${rowSecurity('client_message_drafts', app)}

    -- What staff say to each other about a conversation, after the message of this number.
    create table portal.client_message_notes (
      workspace_id text not null,
      thread_id    uuid not null,
      id           uuid not null,
      after_seq    integer not null,
      staff_id     text not null,
      staff_name   text not null,
      text         text not null check (text <> ''),
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      foreign key (workspace_id, thread_id) references portal.client_message_threads
    );
    create index on portal.client_message_notes (workspace_id, thread_id, at);
    ${rowSecurity('client_message_notes', app, { staffOnly: true, grant: 'select, insert' })}

    create table portal.client_message_staff_drafts (
      workspace_id text not null,
      staff_id     text not null,
      thread_id    text not null,
      text         text not null default '',
      note         boolean not null default false,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, staff_id, thread_id)
    );
    ${rowSecurity('client_message_staff_drafts', app, { staffOnly: true })}

    -- Staff who have used the inbox: whom a conversation can be handed to.
    create table portal.client_message_staff (
      workspace_id text not null,
      staff_id     text not null,
      name         text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, staff_id)
    );
    ${rowSecurity('client_message_staff', app, { staffOnly: true })}

    create table portal.client_message_quick_replies (
      workspace_id text not null,
      id           uuid not null,
      title        text not null check (title <> ''),
      text         text not null check (text <> ''),
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    ${rowSecurity('client_message_quick_replies', app, { staffOnly: true })}
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_message_quick_replies, portal.client_message_staff, portal.client_message_staff_drafts, portal.client_message_notes,
      portal.client_message_drafts, portal.client_message_readers, portal.client_message_files, portal.client_messages,
      portal.client_message_threads
  `)
