import type { Knex } from 'knex'

/** An answer to what the CRM has offered once more, at the same version, since: it stays in the chain, and another may come. */
export const up = (db: Knex) =>
  db.raw(`
    drop index portal.client_signatures_one_answer;
    alter table portal.client_signatures drop constraint client_signatures_state_check,
      add constraint client_signatures_state_check check (state in ('saved', 'passing', 'confirmed', 'refused', 'superseded'));
    create unique index client_signatures_one_answer on portal.client_signatures (workspace_id, section, document_id, version)
      where act in ('accepted', 'declined') and state not in ('refused', 'superseded');
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop index portal.client_signatures_one_answer;
    alter table portal.client_signatures no force row level security;
    update portal.client_signatures set state = 'refused' where state = 'superseded';
    alter table portal.client_signatures force row level security;
    create unique index client_signatures_one_answer on portal.client_signatures (workspace_id, section, document_id, version)
      where act in ('accepted', 'declined') and state <> 'refused';
    alter table portal.client_signatures drop constraint client_signatures_state_check,
      add constraint client_signatures_state_check check (state in ('saved', 'passing', 'confirmed', 'refused'));
  `)
