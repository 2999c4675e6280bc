import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * Where events are sent, and each delivery. A delivery is queued by a trigger, with the entry of the activity log and in its
 * transaction: none is lost, whatever wrote the entry and in which order transactions commit. The trigger refers to an
 * endpoint by no foreign key, so that nobody's action waits for, or fails with, the removal of an endpoint.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_webhooks (
      workspace_id  text not null,
      id            uuid not null,
      title         text not null,
      url           text not null,
      events        text[] not null,
      state         text not null default 'on' check (state in ('on', 'off', 'failed', 'gone')),
      revision      integer not null default 1,
      failures      integer not null default 0,
      failing_since timestamptz,
      rests_until   timestamptz,
      lease         uuid,
      leased_until  timestamptz,
      added_by      text not null,
      added_at      timestamptz not null default portal.now(),
      primary key (workspace_id, id)
    );
    ${rowSecurity('client_webhooks', app, { staffOnly: true })}

    create table portal.client_webhook_deliveries (
      workspace_id text not null,
      id           uuid not null default gen_random_uuid(),
      webhook_id   uuid not null,
      entry_id     bigint,
      event        text not null,
      queued_at    timestamptz not null default portal.now(),
      waits_since  timestamptz not null default portal.now(),
      state        text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
      attempts     integer not null default 0,
      next_at      timestamptz not null default portal.now(),
      tried_at     timestamptz,
      status       integer,
      milliseconds integer,
      answer       text,
      problem      text,
      primary key (workspace_id, id),
      unique (workspace_id, webhook_id, entry_id)
    );
    create index client_webhook_deliveries_due
      on portal.client_webhook_deliveries (workspace_id, webhook_id, next_at, entry_id) where state = 'waiting';
    create index client_webhook_deliveries_late
      on portal.client_webhook_deliveries (waits_since) where state = 'waiting';
    create index client_webhook_deliveries_log
      on portal.client_webhook_deliveries (workspace_id, webhook_id, queued_at desc, id desc);
    ${rowSecurity('client_webhook_deliveries', app, { staffOnly: true })}

    ${queueing}
    ${looking(app)}
  `)

/** As the owner of the tables: no transaction of a client sees endpoints or deliveries. */
const queueing = `
    create function portal.queue_webhooks() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      insert into portal.client_webhook_deliveries (workspace_id, webhook_id, entry_id, event)
      select l.workspace_id, w.id, l.id, l.event
      from entries l
      join portal.client_webhooks w on w.workspace_id = l.workspace_id
      where w.state = 'on' and w.events && array[l.event, split_part(l.event, '.', 1) || '.*'];
      return null;
    end $body$;
    create trigger queue_webhooks after insert on portal.client_activity_logs
    referencing new table as entries for each statement execute function portal.queue_webhooks();`

/** Workspaces that have something to send now, or something that has waited for a day. */
const looking = (app: string) => `
    create function portal.workspaces_with_webhooks_due() returns setof text
    language sql stable security definer set search_path = '' as $body$
      select w.workspace_id from portal.client_webhooks w
      where w.state = 'on' and coalesce(w.rests_until <= portal.now(), true)
        and coalesce(w.leased_until <= portal.now(), true) and exists (
          select from portal.client_webhook_deliveries d
          where d.workspace_id = w.workspace_id and d.webhook_id = w.id and d.state = 'waiting'
            and d.next_at <= portal.now())
      union
      select d.workspace_id from portal.client_webhook_deliveries d
      where d.state = 'waiting' and d.waits_since < portal.now() - interval '1 day'
    $body$;
    revoke execute on function portal.workspaces_with_webhooks_due() from public;
    grant execute on function portal.workspaces_with_webhooks_due() to ${app};`

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.workspaces_with_webhooks_due();
    drop trigger queue_webhooks on portal.client_activity_logs;
    drop function portal.queue_webhooks();
    delete from portal.client_plugin_settings where name like 'webhooks.secret %';
    drop table portal.client_webhook_deliveries, portal.client_webhooks;
  `)
