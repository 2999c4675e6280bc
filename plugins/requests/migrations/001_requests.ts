import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_request_templates (
      workspace_id text not null,
      id           uuid not null,
      version      integer not null,
      name         text not null check (name <> ''),
      removed_at   timestamptz,
      changed_at   timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    ${rowSecurity('client_request_templates', app, { perClient: false })}

    -- Written once: what was sent by an earlier version stays as it was.
    create table portal.client_request_template_versions (
      workspace_id text not null,
      template_id  uuid not null,
      version      integer not null,
      content      jsonb not null,
      by_id        text not null,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, template_id, version),
      foreign key (workspace_id, template_id) references portal.client_request_templates
    );
    ${rowSecurity('client_request_template_versions', app, { perClient: false, grant: 'select, insert' })}

    -- What was sent to one or many clients at once. Each client's request refers to it, so that none is sent twice.
    create table portal.client_request_sendings (
      workspace_id text not null,
      id           uuid not null,
      content      jsonb not null,
      name         text not null,
      about        text not null,
      due_on       date,
      clients      jsonb not null,
      template_id  uuid,
      version      integer,
      by_id        text not null,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      sent_at      timestamptz,
      primary key (workspace_id, id)
    );
    create index on portal.client_request_sendings (workspace_id, at desc);
    ${rowSecurity('client_request_sendings', app, { perClient: false })}

    create table portal.client_requests (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      client_name  text not null,
      person_id    uuid,
      person_name  text,
      sending_id   uuid not null,
      name         text not null check (name <> ''),
      about        text not null default '',
      due_on       date,
      state        text not null default 'open' check (state in ('open', 'closed', 'withdrawn')),
      items        integer not null default 0,
      done         integer not null default 0,
      to_review    integer not null default 0,
      returned     integer not null default 0,
      files        integer not null default 0,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      changed_at   timestamptz not null default portal.now(),
      reminded_at  timestamptz,
      finished     boolean not null generated always as (state <> 'open' or done >= items) stored,
      due_key      date not null generated always as (coalesce(due_on, 'infinity'::date)) stored,
      primary key (workspace_id, id),
      foreign key (workspace_id, sending_id) references portal.client_request_sendings,
      unique (workspace_id, sending_id, client_id)
    );
    create index on portal.client_requests (workspace_id, client_id, finished, due_key, id);
    create index on portal.client_requests (workspace_id, client_id, at desc, id desc);
    create index client_requests_open on portal.client_requests (workspace_id, due_key, id) where not finished;
    create index client_requests_review on portal.client_requests (workspace_id, due_key, id) where to_review > 0;
    create index client_requests_silent on portal.client_requests (workspace_id, due_key, id)
      where not finished and files = 0 and done = 0;
    create index client_requests_all on portal.client_requests (workspace_id, due_key, id);
    create index client_requests_of_person on portal.client_requests (workspace_id, person_id) where person_id is not null;
    ${rowSecurity('client_requests', app, { many: true })}

    create table portal.client_request_items (
      workspace_id text not null,
      request_id   uuid not null,
      id           uuid not null,
      client_id    text not null,
      position     integer not null,
      name         text not null check (name <> ''),
      hint         text not null default '',
      wanted       integer not null default 1 check (wanted > 0),
      -- The id, name and size of a file of the workspace.
      example      jsonb,
      state        text not null default 'open' check (state in ('open', 'sent', 'returned', 'skipped', 'withdrawn')),
      -- Why it does not apply, or why it was sent back.
      reason       text,
      by_id        text,
      by_name      text,
      changed_at   timestamptz not null default portal.now(),
      accepted_at  timestamptz,
      accepted_by  text,
      -- Whether the client was mailed that it was sent back.
      told         boolean not null default true,
      version      integer not null default 1,
      primary key (workspace_id, request_id, id),
      foreign key (workspace_id, request_id) references portal.client_requests on delete cascade,
      check (accepted_at is null or state in ('sent', 'skipped'))
    );
    ${rowSecurity('client_request_items', app, { many: true })}

    -- Files that arrived, and those that are on their way.
    create table portal.client_request_files (
      workspace_id text not null,
      file_id      uuid not null,
      request_id   uuid not null,
      item_id      uuid not null,
      client_id    text not null,
      -- Whether it was there when staff sent the item back.
      returned     boolean not null default false,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, file_id),
      foreign key (workspace_id, file_id) references portal.client_files on delete cascade,
      foreign key (workspace_id, request_id, item_id) references portal.client_request_items
    );
    create index on portal.client_request_files (workspace_id, request_id, item_id);
    ${rowSecurity('client_request_files', app, { many: true })}
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_request_files, portal.client_request_items, portal.client_requests,
      portal.client_request_sendings, portal.client_request_template_versions, portal.client_request_templates
  `)
