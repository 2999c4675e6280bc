import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/** When each person last opened a document of the CRM, by the CRM's id. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_crm_document_reads (
      workspace_id text not null,
      person_id    uuid not null,
      document_id  text not null,
      client_id    text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, document_id)
    );
    ${rowSecurity('client_crm_document_reads', app, { many: true })}
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_crm_document_reads')
