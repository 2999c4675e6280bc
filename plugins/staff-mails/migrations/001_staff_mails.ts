import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * What staff are mailed of, and whom. A row for each event and recipient is written in the transaction that queues the
 * mail, or waits for the digest of that recipient; a row for each digest and day likewise.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_staff_mail_rules (
      workspace_id text primary key,
      revision     integer not null,
      kinds        jsonb not null,
      to_owner     boolean not null,
      to_admins    boolean not null,
      also         boolean not null,
      addresses    text[] not null,
      hour         smallint not null check (hour between 0 and 23),
      language     text not null,
      changed_by   text not null,
      changed_at   timestamptz not null default portal.now()
    );
    ${rowSecurity('client_staff_mail_rules', app, { grant: 'select, insert, update', perClient: false })}

    create table portal.client_staff_mails (
      workspace_id text not null,
      about        text not null,
      email        text not null,
      name         text not null,
      at           timestamptz not null,
      waiting      boolean not null,
      mailed_at    timestamptz,
      primary key (workspace_id, about, email)
    );
    create index client_staff_mails_waiting on portal.client_staff_mails (workspace_id, at) where waiting;
    ${rowSecurity('client_staff_mails', app, { grant: 'select, insert, update', perClient: false })}

    create table portal.client_staff_digests (
      workspace_id text not null,
      email        text not null,
      day          date not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, email, day)
    );
    ${rowSecurity('client_staff_digests', app, { grant: 'select, insert', perClient: false })}
  `)

export const down = (db: Knex) =>
  db.raw('drop table portal.client_staff_digests, portal.client_staff_mails, portal.client_staff_mail_rules')
