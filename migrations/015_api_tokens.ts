import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * What lets a program in on behalf of a person. The token that a request carries is a session under a name of its own
 * (`api.` and its hash), so that it ends like one; this table knows where it came from. A new password, address or
 * second factor ends all of them.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_api_tokens (
      workspace_id text not null,
      id           uuid not null,
      person_id    uuid not null,
      client_id    text not null,
      kind         text not null check (kind in ('sign-in', 'personal')),
      name         text not null,
      scopes       text[],
      proof        text not null,
      refresh_hash text,
      turned_at    timestamptz not null default now(),
      created_at   timestamptz not null default now(),
      expires_at   timestamptz not null,
      used_at      timestamptz,
      used_from    text,
      primary key (workspace_id, id),
      foreign key (workspace_id, person_id) references portal.client_users on delete cascade
    );
    create index on portal.client_api_tokens (workspace_id, person_id);
    grant select, insert, update, delete on portal.client_api_tokens to ${app};
    alter table portal.client_api_tokens enable row level security, force row level security;
    create policy workspace on portal.client_api_tokens to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_api_tokens to current_user using (true);

    create function portal.end_api_tokens() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
      delete from portal.client_api_tokens where workspace_id = new.workspace_id and person_id = new.id;
      delete from portal.client_sessions
        where workspace_id = new.workspace_id and person_id = new.id and sid like 'api.%';
      return null;
    end $$;
    create trigger end_api_tokens after update of password_hash, email on portal.client_users
      for each row when (old.password_hash is distinct from new.password_hash or old.email <> new.email)
      execute function portal.end_api_tokens();

    create function portal.end_api_tokens_of_factor() returns trigger
    language plpgsql security definer set search_path = '' as $$
    declare its record := coalesce(new, old);
    begin
      delete from portal.client_api_tokens
        where workspace_id = its.workspace_id and person_id = its.person_id;
      delete from portal.client_sessions
        where workspace_id = its.workspace_id and person_id = its.person_id and sid like 'api.%';
      return null;
    end $$;
    create trigger end_api_tokens_of_factor_new after insert on portal.client_factors
      for each row when (new.confirmed_at is not null) execute function portal.end_api_tokens_of_factor();
    create trigger end_api_tokens_of_factor_confirmed after update of confirmed_at on portal.client_factors
      for each row when (old.confirmed_at is null and new.confirmed_at is not null) execute function portal.end_api_tokens_of_factor();
    create trigger end_api_tokens_of_factor_gone after delete on portal.client_factors
      for each row when (old.confirmed_at is not null) execute function portal.end_api_tokens_of_factor();
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop trigger end_api_tokens_of_factor_new on portal.client_factors;
    drop trigger end_api_tokens_of_factor_confirmed on portal.client_factors;
    drop trigger end_api_tokens_of_factor_gone on portal.client_factors;
    drop function portal.end_api_tokens_of_factor;
    drop trigger end_api_tokens on portal.client_users;
    drop function portal.end_api_tokens;
    delete from portal.client_sessions where sid like 'api.%';
    drop table portal.client_api_tokens;
  `)
