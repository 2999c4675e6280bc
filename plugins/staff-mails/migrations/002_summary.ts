import type { Knex } from 'knex'

/** Whether admins and addresses get what nobody looks after in the daily summary. */
export const up = (db: Knex) =>
  db.raw('alter table portal.client_staff_mail_rules add others_daily boolean not null default false')

export const down = (db: Knex) => db.raw('alter table portal.client_staff_mail_rules drop others_daily')
