import type { Knex } from 'knex'

/** Reminders of what people have to do: `due_on` is the moment at which one came, and `version` is 0. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_reminders
      drop constraint client_reminders_kind_check,
      add constraint client_reminders_kind_check check (kind in ('expiry', 'due', 'work'));
    create index client_reminders_work on portal.client_reminders (workspace_id, client_id, at) where kind = 'work'`)

export const down = (db: Knex) =>
  db.raw(`
    drop index portal.client_reminders_work;
    delete from portal.client_reminders where kind = 'work';
    alter table portal.client_reminders
      drop constraint client_reminders_kind_check,
      add constraint client_reminders_kind_check check (kind in ('expiry', 'due'))`)
