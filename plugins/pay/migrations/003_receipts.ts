import type { Knex } from 'knex'

/** Where a visitor by a public link wants the receipt, and in which language. Forgotten once it was sent. */
export const up = (db: Knex) =>
  db.raw('alter table portal.client_payments add column receipt_to text, add column receipt_language text')

export const down = (db: Knex) =>
  db.raw('alter table portal.client_payments drop column receipt_to, drop column receipt_language')
