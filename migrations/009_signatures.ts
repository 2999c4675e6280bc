import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/**
 * What clients answered, with the evidence: a row is written once, in the transaction that tells the CRM, and only how
 * far it has come since may change. Each is a link of the workspace's chain. Keys are the workspace's own, sealed with
 * the portal's secret.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_keys (
      workspace_id text not null,
      id           uuid not null,
      certificate  text not null,
      sealed       bytea not null,
      created_at   timestamptz not null default now(),
      primary key (workspace_id, id)
    );

    create table portal.client_chains (
      workspace_id text primary key,
      links        bigint not null,
      hash         text not null
    );

    create table portal.client_signatures (
      workspace_id   text not null,
      id             uuid not null,
      link           bigint not null,
      at             timestamptz not null,
      act            text not null check (act in ('accepted', 'declined', 'countersigned')),
      section        text not null,
      document_id    text not null,
      version        integer not null,
      number         text not null,
      client_id      text not null,
      person_id      uuid,
      signer         text not null,
      evidence       text,
      salt           text,
      digest         text not null,
      previous       text not null,
      hash           text not null,
      head_key       uuid not null,
      head_signature text not null,
      document       bytea,
      state          text not null default 'saved' check (state in ('saved', 'passing', 'confirmed', 'refused')),
      tries          integer not null default 0,
      tried_at       timestamptz,
      settled_at     timestamptz,
      why            text,
      sealed         bytea,
      sealed_hash    text,
      sealed_at      timestamptz,
      primary key (workspace_id, id),
      unique (workspace_id, link)
    );
    create unique index client_signatures_one_answer on portal.client_signatures (workspace_id, section, document_id, version)
      where act in ('accepted', 'declined') and state <> 'refused';
    create index on portal.client_signatures (workspace_id, section, document_id);
    create index on portal.client_signatures (workspace_id, sealed_hash);
    create index client_activity_logs_of_subject on portal.client_activity_logs (workspace_id, client_id, subject_id, event);

    grant select, insert on portal.client_keys, portal.client_signatures to ${app};
    grant select, insert, update on portal.client_chains to ${app};
    grant update (state, tries, tried_at, settled_at, why, sealed, sealed_hash, sealed_at) on portal.client_signatures to ${app};

    ${['client_keys', 'client_chains', 'client_signatures']
      .map(
        table => `
    alter table portal.${table} enable row level security, force row level security;
    create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.${table} for select to current_user using (true);`,
      )
      .join('')}
    create policy client on portal.client_signatures as restrictive to ${app}
      using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));

    select portal_jobs.create_queue('answers', '{"policy": "standard", "retryLimit": 60, "retryDelay": 2, "retryBackoff": true,
      "retryDelayMax": 3600, "expireInSeconds": 120, "retentionSeconds": 5184000, "deleteAfterSeconds": 86400}'::jsonb);
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    select portal_jobs.delete_queue('answers');
    drop table portal.client_signatures, portal.client_chains, portal.client_keys;
    drop index portal.client_activity_logs_of_subject;
  `)
