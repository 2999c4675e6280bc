import type { Knex } from 'knex'

/** How much of what went back is in the CRM's books as well. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_payments add column refund_booked numeric not null default 0 check (refund_booked >= 0);
    create index client_payments_refunds_to_book on portal.client_payments (workspace_id, started_at desc, id desc)
      where booking = 'booked' and refunded > refund_booked;
  `)

export const down = (db: Knex) => db.raw('alter table portal.client_payments drop column refund_booked')
