import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * Public links, each to one document of one client, by the hash of their token. Who comes by one is told apart in the
 * activity, and proves by a code of a kind of its own who they are.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_links (
      workspace_id text not null,
      id           uuid not null,
      client_id    text not null,
      client_name  text not null,
      section      text not null,
      document_id  text not null,
      number       text not null,
      token_hash   text not null,
      coded        boolean not null,
      made_by      text not null,
      created_at   timestamptz not null default now(),
      expires_at   timestamptz not null,
      revoked_at   timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, token_hash)
    );
    grant select, insert on portal.client_links to ${app};
    grant update (revoked_at) on portal.client_links to ${app};
    alter table portal.client_links enable row level security, force row level security;
    create policy workspace on portal.client_links to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy client on portal.client_links as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));
    create policy owner on portal.client_links to current_user using (true);

    alter table portal.client_activity_logs drop constraint client_activity_logs_actor_kind_check,
      add constraint client_activity_logs_actor_kind_check
        check (actor_kind in ('client', 'staff', 'system', 'nobody', 'link'));
    alter table portal.client_tokens drop constraint client_tokens_kind_check,
      add constraint client_tokens_kind_check
        check (kind in ('sign-in', 'reset', 'address', 'undo', 'unlock', 'step-up', 'device', 'link'));
  `)

/**
 * The activity stays as it was written, and is not looked at again. Codes and links that are on their way go: row security
 * would hide from their owner those whose kind an earlier version does not know.
 */
export const down = (db: Knex) =>
  db.raw(`
    alter table portal.client_tokens no force row level security;
    delete from portal.client_tokens;
    alter table portal.client_tokens force row level security, drop constraint client_tokens_kind_check,
      add constraint client_tokens_kind_check
        check (kind in ('sign-in', 'reset', 'address', 'undo', 'unlock', 'step-up', 'device'));
    alter table portal.client_activity_logs drop constraint client_activity_logs_actor_kind_check,
      add constraint client_activity_logs_actor_kind_check
        check (actor_kind in ('client', 'staff', 'system', 'nobody')) not valid;
    drop table portal.client_links;
  `)
