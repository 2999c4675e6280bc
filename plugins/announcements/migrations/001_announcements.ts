import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** What a workspace tells its clients, and who has read or dismissed it. A client sees only what is for it. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_announcements (
      workspace_id text not null,
      id           uuid not null,
      title        text not null,
      text         text not null,
      important    boolean not null,
      starts_on    date not null,
      ends_on      date not null default 'infinity' check (ends_on >= starts_on),
      client_ids   text[],
      roles        text[],
      revision     integer not null default 1,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      withdrawn_at timestamptz,
      withdrawn_by text,
      primary key (workspace_id, id)
    );
    create index client_announcements_current
      on portal.client_announcements (workspace_id, ends_on) where withdrawn_at is null;
    create index client_announcements_newest
      on portal.client_announcements (workspace_id, starts_on desc, id desc) where withdrawn_at is null;
    ${rowSecurity('client_announcements', app, { grant: 'select, insert, update', perClient: false })}
    create policy client on portal.client_announcements as restrictive to ${app}
      using (coalesce(current_setting('portal.client_id', true), '') = '' or client_ids is null
             or current_setting('portal.client_id', true) = any (client_ids));

    create table portal.client_announcement_reads (
      workspace_id    text not null,
      announcement_id uuid not null,
      client_id       text not null,
      person_id       text not null,
      read_at         timestamptz not null default portal.now(),
      dismissed_at    timestamptz,
      primary key (workspace_id, announcement_id, client_id, person_id),
      foreign key (workspace_id, announcement_id) references portal.client_announcements on delete cascade
    );
    create index on portal.client_announcement_reads (workspace_id, person_id);
    create index on portal.client_announcement_reads (workspace_id, announcement_id, read_at desc, person_id);
    ${rowSecurity('client_announcement_reads', app)}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_announcement_reads, portal.client_announcements')
