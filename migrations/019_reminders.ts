import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Who was reminded of what: a row for each person, document, version and moment, written in the transaction that queues
 * the mail. `moment` is the plain date on which it was due.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_reminders (
      workspace_id text not null,
      kind         text not null check (kind in ('expiry')),
      section      text not null,
      document_id  text not null,
      version      integer not null,
      moment       date not null,
      person_id    uuid not null,
      client_id    text not null,
      at           timestamptz not null default now(),
      primary key (workspace_id, kind, section, document_id, version, moment, person_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_reminders (workspace_id, person_id);
    grant select, insert, delete on portal.client_reminders to ${app};
    alter table portal.client_reminders enable row level security, force row level security;
    create policy workspace on portal.client_reminders to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy client on portal.client_reminders as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));
    create policy owner on portal.client_reminders to current_user using (true);
    alter table portal.client_users add column reminders boolean not null default true;
    select portal_jobs.create_queue('reminders', '{"policy": "short", "retryLimit": 8, "retryDelay": 60, "retryBackoff": true,
      "retryDelayMax": 3600, "expireInSeconds": 900, "retentionSeconds": 5184000, "deleteAfterSeconds": 86400}'::jsonb);
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    select portal_jobs.delete_queue('reminders');
    alter table portal.client_users drop column reminders;
    drop table portal.client_reminders;
  `)
