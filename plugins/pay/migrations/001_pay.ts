import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * What clients pay through the portal. A row is there before anybody is sent to a provider, so that what arrives there is
 * always known here. Amounts are exact decimals in the currency's major unit.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_payments (
      workspace_id    text not null,
      id              uuid not null,
      client_id       text not null,
      person_id       text not null,
      payer           text not null,
      provider        text not null,
      method          text,
      reference       text not null,
      currency        text not null,
      amount          numeric not null check (amount > 0),
      fee             numeric not null default 0 check (fee >= 0),
      state           text not null default 'started'
                        check (state in ('started', 'processing', 'paid', 'failed', 'cancelled')),
      session         text,
      address         text,
      charge          text,
      failure         text,
      refunded        numeric not null default 0 check (refunded between 0 and amount + fee),
      dispute         text check (dispute in ('open', 'won', 'lost')),
      booking         text not null default 'none' check (booking in ('none', 'waiting', 'manual', 'booked')),
      booking_failure text,
      booked_by       text,
      booked_at       timestamptz,
      started_at      timestamptz not null default portal.now(),
      paid_at         timestamptz,
      changed_at      timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    create unique index on portal.client_payments (workspace_id, provider, session);
    create index on portal.client_payments (workspace_id, provider, charge) where charge is not null;
    create index on portal.client_payments (workspace_id, client_id, started_at desc);
    create index on portal.client_payments (workspace_id, started_at desc, id desc);
    create index client_payments_unfinished on portal.client_payments (workspace_id, started_at)
      where state in ('started', 'processing');
    create index client_payments_to_book on portal.client_payments (workspace_id, paid_at)
      where booking in ('waiting', 'manual');
    create index client_payments_to_look_at on portal.client_payments (workspace_id, started_at desc, id desc)
      where state = 'failed' or dispute = 'open' or refunded > 0;
    create index client_payments_disputed on portal.client_payments (workspace_id) where dispute = 'open';
    create index client_payments_paid on portal.client_payments (workspace_id, paid_at) where state = 'paid';
    ${rowSecurity('client_payments', app, { grant: 'select, insert, update' })}

    create table portal.client_payment_shares (
      workspace_id text not null,
      payment_id   uuid not null,
      client_id    text not null,
      section      text not null,
      document_id  text not null,
      number       text not null,
      title        text not null,
      amount       numeric not null check (amount > 0),
      primary key (workspace_id, payment_id, section, document_id)
    );
    create index on portal.client_payment_shares (workspace_id, client_id, section, document_id);
    ${rowSecurity('client_payment_shares', app, { grant: 'select, insert' })}

    create table portal.client_payment_refunds (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      payment_id   uuid not null,
      amount       numeric not null check (amount > 0),
      by           text not null,
      provider_id  text,
      failure      text,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    create index on portal.client_payment_refunds (workspace_id, payment_id);
    ${rowSecurity('client_payment_refunds', app, { grant: 'select, insert, update' })}

    create table portal.client_payment_customers (
      workspace_id text not null,
      client_id    text not null,
      person_id    text not null,
      provider     text not null,
      customer     text not null,
      at           timestamptz not null default portal.now(),
      primary key (workspace_id, client_id, person_id, provider)
    );
    ${rowSecurity('client_payment_customers', app)}

    create table portal.client_payment_events (
      workspace_id text not null,
      provider     text not null,
      read_until   timestamptz not null,
      primary key (workspace_id, provider)
    );
    ${rowSecurity('client_payment_events', app, { grant: 'select, insert, update', perClient: false })}
  `)

export const down = (db: Knex) =>
  db.raw(`drop table portal.client_payment_events, portal.client_payment_customers, portal.client_payment_refunds,
    portal.client_payment_shares, portal.client_payments`)
