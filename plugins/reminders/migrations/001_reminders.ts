import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** Reminders that were sent. Each row is written in the transaction that queues the mail. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_reminders (
      workspace_id text not null,
      kind         text not null check (kind in ('expiry')),
      section      text not null,
      document_id  text not null,
      version      integer not null,
      due_on       date not null,
      person_id    uuid not null,
      client_id    text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, kind, section, document_id, version, due_on, person_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    create index on portal.client_reminders (workspace_id, person_id);
    ${rowSecurity('client_reminders', app, { grant: 'select, insert, delete' })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_reminders')
