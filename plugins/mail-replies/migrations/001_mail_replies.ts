import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    -- To whom a reply address was given, and for which record. Only a hash of its token is here.
    create table portal.client_reply_addresses (
      workspace_id text not null,
      token_hash   text not null,
      client_id    text not null,
      kind         text not null,
      record_id    text not null,
      by_kind      text not null check (by_kind in ('client', 'staff')),
      by_id        text not null,
      by_name      text not null,
      email        text not null,
      expires_at   timestamptz not null,
      primary key (workspace_id, token_hash)
    );
    create unique index on portal.client_reply_addresses (token_hash);
    create index on portal.client_reply_addresses (workspace_id, by_id);
    ${rowSecurity('client_reply_addresses', app, { grant: 'select, insert, update, delete' })}

    -- Each reply that arrived, once.
    create table portal.client_reply_mails (
      workspace_id text not null,
      key          uuid not null,
      at           timestamptz not null default portal.now(),
      client_id    text not null,
      state        text not null check (state in ('taken', 'held', 'ignored', 'accepted', 'discarded')),
      token_hash   text not null,
      kind         text not null,
      record_id    text not null,
      by_kind      text not null,
      by_id        text not null,
      by_name      text not null,
      sender       text not null,
      subject      text not null,
      message_id   text not null,
      content_hash bytea not null,
      -- Why it was held or ignored: a sentence and its facts.
      why          jsonb,
      -- Of one that is held: what it says, its headers and its files; and whether the mail itself is in the file store.
      text         text,
      details      jsonb,
      stored       boolean not null default false,
      decided_by   text,
      primary key (workspace_id, key)
    );
    create index client_reply_mails_held on portal.client_reply_mails (workspace_id, at desc, key) where state = 'held';
    create index client_reply_mails_ignored on portal.client_reply_mails (workspace_id, at desc, key) where state = 'ignored';
    create index on portal.client_reply_mails (workspace_id, token_hash, at);
    create index on portal.client_reply_mails (workspace_id, by_id);
    ${rowSecurity('client_reply_mails', app, { grant: 'select, insert, update, delete' })}

    -- The one thing that is asked before a workspace is known: whose token this is.
    create function portal.find_reply_address(hash text) returns table (id text, slug text)
    language sql stable security definer set search_path = '' as $body$
      select w.workspace_id, w.slug
      from portal.client_reply_addresses a join portal.client_workspaces w on w.workspace_id = a.workspace_id
      where a.token_hash = hash and a.expires_at > portal.now()
    $body$;
    revoke execute on function portal.find_reply_address from public;
    grant execute on function portal.find_reply_address to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.find_reply_address;
    drop table portal.client_reply_mails, portal.client_reply_addresses;
  `)
