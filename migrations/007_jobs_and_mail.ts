import type { Knex } from 'knex'
import { getConstructionPlans } from 'pg-boss'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/**
 * Jobs and limits are in a schema of their own, without row security: they hold ids and counts. Mails are sealed, as
 * they may hold a link or a code, and their text is deleted once they are sent.
 */
export const up = async (db: Knex, { app }: Roles) => {
  await db.raw(pgBossSchema)
  await db.raw(`
    ${createQueue('mail', { retryLimit: 8, retryDelay: 20, retryDelayMax: 7_200, expire: 120, keepDays: 14 })}
    -- For mails that let somebody in: they never wait behind others.
    ${createQueue('mail-first', { retryLimit: 8, retryDelay: 5, retryDelayMax: 600, expire: 120, keepDays: 14 })}
    ${createQueue('submissions', { retryLimit: 60, retryDelay: 2, retryDelayMax: 3_600, expire: 120, keepDays: 60 })}
    ${createQueue('registrations', { retryLimit: 8, retryDelay: 3_600, expire: 120, keepDays: 14 })}
    ${createQueue('data', { retryLimit: 8, retryDelay: 30, retryDelayMax: 7_200, expire: 900, keepDays: 60 })}
    ${createQueue('plugins', {
      policy: 'short',
      retryLimit: 8,
      retryDelay: 60,
      retryDelayMax: 3_600,
      expire: 900,
      keepDays: 60,
    })}

    create table portal_jobs.limits (
      key    varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    );
    create index on portal_jobs.limits (expire);
    grant usage on schema portal_jobs to ${app};
    grant select, insert, update, delete on all tables in schema portal_jobs to ${app};

    create table portal.client_outbox (
      workspace_id text not null,
      id           uuid not null,
      kind         text not null,
      person_id    uuid,
      recipient    text not null,
      subject      text not null,
      sealed       bytea,
      created_at   timestamptz not null default portal.now(),
      attempts     integer not null default 0,
      sent_at      timestamptz,
      failed_at    timestamptz,
      error        text,
      primary key (workspace_id, id)
    );
    create index on portal.client_outbox (workspace_id, created_at desc);
    ${rowSecurity('client_outbox', app, { owner: 'none', perClient: false })}
  `)
}

/** Without the transaction that pg-boss puts around it: one is open already. Knex takes each `?` for a binding. */
const pgBossSchema = getConstructionPlans('portal_jobs')
  .replace(/^\s*BEGIN;|COMMIT;\s*$/g, '')
  .replaceAll('?', '\\?')

/** Times in seconds. With `retryDelayMax`, each delay is twice the one before it, up to that. */
interface Queue {
  /** With `short`, only one job of each key waits at a time. */
  policy?: 'short'
  retryLimit: number
  retryDelay: number
  retryDelayMax?: number
  /** How long a job may run. */
  expire: number
  /** How long a job waits to be done before it is deleted. */
  keepDays: number
}

function createQueue(name: string, { policy, retryLimit, retryDelay, retryDelayMax, expire, keepDays }: Queue) {
  const backoff = retryDelayMax === undefined ? {} : { retryBackoff: true, retryDelayMax }
  const options = {
    policy: policy ?? 'standard',
    retryLimit,
    retryDelay,
    ...backoff,
    expireInSeconds: expire,
    retentionSeconds: keepDays * 86_400,
    deleteAfterSeconds: 86_400,
  }
  return `select portal_jobs.create_queue('${name}', '${JSON.stringify(options)}'::jsonb);`
}

export const down = (db: Knex) => db.raw('drop schema portal_jobs cascade; drop table portal.client_outbox')
