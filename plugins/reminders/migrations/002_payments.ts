import type { Knex } from 'knex'

/** Reminders of what is due: `due_on` is the moment at which one came, and `version` is 0. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_reminders
      drop constraint client_reminders_kind_check,
      add constraint client_reminders_kind_check check (kind in ('expiry', 'due'))`)

export const down = (db: Knex) =>
  db.raw(`
    delete from portal.client_reminders where kind = 'due';
    alter table portal.client_reminders
      drop constraint client_reminders_kind_check,
      add constraint client_reminders_kind_check check (kind in ('expiry'))`)
