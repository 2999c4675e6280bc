import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** The mobile numbers of people, and the code that confirms one. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_sms_numbers (
      workspace_id text not null,
      person_id    uuid not null,
      number       text not null,
      confirmed_at timestamptz,
      code_hash    text,
      attempts     integer not null default 0,
      expires_at   timestamptz,
      primary key (workspace_id, person_id),
      foreign key (workspace_id, person_id) references portal.client_users
    );
    ${rowSecurity('client_sms_numbers', app, { perClient: false })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_sms_numbers')
