import type { Knex } from 'knex'

/** More that a mailed link may be for, and when somebody asked for a new invitation in place of one that is over. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_tokens drop constraint client_tokens_kind_check;
    alter table portal.client_tokens add constraint client_tokens_kind_check
      check (kind in ('sign-in', 'reset', 'address', 'undo', 'unlock', 'step-up', 'device'));
    alter table portal.client_invitations add asked_at timestamptz;
  `)

export const down = (db: Knex) =>
  db.raw(`
    alter table portal.client_invitations drop asked_at;
    delete from portal.client_tokens where kind in ('unlock', 'step-up', 'device');
    alter table portal.client_tokens drop constraint client_tokens_kind_check;
    alter table portal.client_tokens add constraint client_tokens_kind_check
      check (kind in ('sign-in', 'reset', 'address', 'undo'));
  `)
