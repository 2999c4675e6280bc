import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * Where clients pay to, each version that there ever was. A version holds from the moment that a second admin confirms it,
 * or a day after it was entered, and until a later one does. No row is deleted, and what was entered never changes.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_bank_details (
      workspace_id   text not null,
      id             uuid not null,
      details        jsonb not null,
      entered_by     text not null,
      entered_by_id  text not null,
      entered_at     timestamptz not null,
      holds_from     timestamptz not null,
      confirmed_by   text,
      confirmed_at   timestamptz,
      withdrawn_by   text,
      withdrawn_at   timestamptz,
      primary key (workspace_id, id),
      check (confirmed_at is null or withdrawn_at is null)
    );
    create index on portal.client_bank_details (workspace_id, holds_from desc) where withdrawn_at is null;
    ${rowSecurity('client_bank_details', app, { grant: 'select, insert', perClient: false })}
    grant update (holds_from, confirmed_by, confirmed_at, withdrawn_by, withdrawn_at) on portal.client_bank_details to ${app}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_bank_details')
