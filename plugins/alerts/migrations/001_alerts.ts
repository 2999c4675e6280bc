import type { Knex } from 'knex'
import type { Roles } from '../../../knexfile.ts'
import { rowSecurity } from '../../../src/platform/row-security.ts'

/**
 * From how many events on a workspace wants alerts, and who is mailed. Each alert waits in the queue until it is mailed;
 * for each kind it is kept when the last mail was.
 */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_alert_rules (
      workspace_id text primary key,
      revision     integer not null,
      thresholds   jsonb not null,
      to_admins    boolean not null,
      addresses    text[] not null,
      changed_by   text not null,
      changed_at   timestamptz not null default portal.now()
    );
    ${rowSecurity('client_alert_rules', app, { grant: 'select, insert, update', perClient: false })}

    create table portal.client_alert_queue (
      workspace_id text not null,
      alert_id     bigint not null,
      kind         text not null,
      queued_at    timestamptz not null default portal.now(),
      primary key (workspace_id, alert_id)
    );
    ${rowSecurity('client_alert_queue', app, { staffOnly: true })}

    create table portal.client_alert_mails (
      workspace_id text not null,
      kind         text not null,
      mailed_at    timestamptz not null,
      primary key (workspace_id, kind)
    );
    ${rowSecurity('client_alert_mails', app, { grant: 'select, insert, update', staffOnly: true })}

    -- Workspaces with an alert to mail: of each kind one mail an hour.
    create function portal.workspaces_with_alerts_due() returns setof text
    language sql stable security definer set search_path = '' as $body$
      select distinct q.workspace_id from portal.client_alert_queue q
      where not exists (
        select from portal.client_alert_mails m
        where m.workspace_id = q.workspace_id and m.kind = q.kind and m.mailed_at > portal.now() - interval '1 hour')
    $body$;
    revoke execute on function portal.workspaces_with_alerts_due() from public;
    grant execute on function portal.workspaces_with_alerts_due() to ${app};
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop function portal.workspaces_with_alerts_due();
    drop table portal.client_alert_mails, portal.client_alert_queue, portal.client_alert_rules;
  `)
