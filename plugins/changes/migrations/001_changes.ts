import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** How far the CRM's changes were looked at, by section and by client. They hold marks and ids, nothing of a record. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_change_marks (
      workspace_id text not null,
      section      text not null,
      mark         text not null default '',
      moved_at     timestamptz not null default portal.now(),
      looked_at    timestamptz not null default portal.now(),
      began_at     timestamptz not null default portal.now(),
      primary key (workspace_id, section)
    );
    ${rowSecurity('client_change_marks', app, { perClient: false })}

    create table portal.client_change_rounds (
      workspace_id text not null,
      client_id    text not null,
      section      text not null,
      looked_at    timestamptz not null default portal.now(),
      primary key (workspace_id, client_id, section)
    );
    create index on portal.client_change_rounds (workspace_id, section, looked_at);
    ${rowSecurity('client_change_rounds', app, { perClient: false })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_change_rounds, portal.client_change_marks')
