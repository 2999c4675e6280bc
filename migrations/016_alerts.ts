import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What stood out, for who administers a workspace to look at. Kept for ninety days. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_alerts (
      workspace_id text not null,
      id           bigint generated always as identity,
      at           timestamptz not null default now(),
      kind         text not null,
      facts        jsonb not null,
      primary key (workspace_id, id)
    );
    grant select, insert, delete on portal.client_alerts to ${app};
    alter table portal.client_alerts enable row level security, force row level security;
    create policy workspace on portal.client_alerts to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_alerts to current_user using (true);
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_alerts')
