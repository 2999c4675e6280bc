import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * Documents that the company and its clients share, where the CRM has no place for them. A document is the newest of its
 * versions; its size is repeated for sorting. Roles are who at the client may see it; null is everybody.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_document_folders (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      name         text not null check (name <> ''),
      roles        text[],
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    create unique index on portal.client_document_folders (workspace_id, client_id, lower(name));
    ${rowSecurity('client_document_folders', app)}

    create table portal.client_documents (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      folder_id    uuid,
      name         text not null check (name <> ''),
      version      integer not null default 1,
      file_id      uuid not null,
      size         bigint not null,
      roles        text[],
      expires_on   date,
      by_kind      text not null check (by_kind in ('client', 'staff')),
      by_id        text not null,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      changed_at   timestamptz not null default portal.now(),
      primary key (workspace_id, id),
      foreign key (workspace_id, folder_id) references portal.client_document_folders,
      foreign key (workspace_id, file_id) references portal.client_files
    );
    create index on portal.client_documents (workspace_id, client_id, changed_at desc, id desc);
    create index on portal.client_documents (workspace_id, client_id, lower(name), id);
    create index on portal.client_documents (workspace_id, client_id, size desc, id desc);
    create index on portal.client_documents (workspace_id, client_id, folder_id, changed_at desc, id desc);
    create index on portal.client_documents (workspace_id, folder_id);
    create index client_documents_sent on portal.client_documents (workspace_id, changed_at desc, id desc)
      where by_kind = 'client';
    create index client_documents_expiring on portal.client_documents (workspace_id, client_id, expires_on)
      where expires_on is not null;
    create index client_documents_of_person on portal.client_documents (workspace_id, by_id) where by_kind = 'client';
    ${rowSecurity('client_documents', app, { many: true })}

    create table portal.client_document_versions (
      workspace_id text not null,
      document_id  uuid not null,
      version      integer not null,
      client_id    text not null,
      file_id      uuid not null,
      by_kind      text not null,
      by_id        text not null,
      by_name      text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, document_id, version),
      foreign key (workspace_id, document_id) references portal.client_documents on delete cascade,
      foreign key (workspace_id, file_id) references portal.client_files
    );
    create index on portal.client_document_versions (workspace_id, file_id);
    ${rowSecurity('client_document_versions', app, { many: true })}

    -- Which version each person last opened.
    create table portal.client_document_reads (
      workspace_id text not null,
      person_id    uuid not null,
      document_id  uuid not null,
      client_id    text not null,
      version      integer not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, document_id),
      foreign key (workspace_id, document_id) references portal.client_documents on delete cascade
    );
    create index on portal.client_document_reads (workspace_id, document_id);
    ${rowSecurity('client_document_reads', app, { many: true })}
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_document_reads, portal.client_document_versions, portal.client_documents,
      portal.client_document_folders
  `)
