import type { Knex } from 'knex'
import { type Roles, rowSecurity } from '../../../../src/sdk.ts'

export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_proofs (
      workspace_id text not null,
      id           bigint generated always as identity,
      client_id    text not null,
      number       text not null,
      version      int not null default 1,
      artwork      text not null,
      state        text not null default 'open',
      approved_by  text,
      response     text,
      primary key (workspace_id, id)
    );
    ${rowSecurity('client_proofs', app)}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_proofs')
