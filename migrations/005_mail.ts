import type { Knex } from 'knex'
import { getConstructionPlans } from 'pg-boss'
import type { Roles } from '../knexfile.ts'

/**
 * What is to be mailed, with a job for each. The text is sealed with the portal's secret and is wiped once the mail is
 * on its way: it may hold a link or a code. Jobs and limits lie in a schema of their own, without row security: they
 * hold ids and counts.
 */
export const up = async (db: Knex, { app }: Roles) => {
  await db.raw(`
    create table portal.client_outbox (
      workspace_id text not null,
      id           uuid not null,
      kind         text not null,
      person_id    uuid,
      recipient    text not null,
      subject      text not null,
      sealed       bytea,
      created_at   timestamptz not null default now(),
      tries        integer not null default 0,
      sent_at      timestamptz,
      failed_at    timestamptz,
      error        text,
      primary key (workspace_id, id)
    );
    create index on portal.client_outbox (workspace_id, created_at desc);
    grant select, insert, update, delete on portal.client_outbox to ${app};
    alter table portal.client_outbox enable row level security, force row level security;
    create policy workspace on portal.client_outbox to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)
  // They bring a transaction of their own, and this one is open already.
  await db.raw(
    getConstructionPlans('portal_jobs')
      .replace(/^\s*BEGIN;|COMMIT;\s*$/g, '')
      .replaceAll('?', '\\?'),
  )
  await db.raw(`
    select portal_jobs.create_queue('mail', '{"policy": "standard", "retryLimit": 8, "retryDelay": 20, "retryBackoff": true,
      "retryDelayMax": 7200, "expireInSeconds": 120, "retentionSeconds": 1209600, "deleteAfterSeconds": 86400}'::jsonb);
    create table portal_jobs.limits (
      key    varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    );
    create index on portal_jobs.limits (expire);
    grant usage on schema portal_jobs to ${app};
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};
  `)
}

export const down = (db: Knex) => db.raw('drop schema portal_jobs cascade; drop table portal.client_outbox')
