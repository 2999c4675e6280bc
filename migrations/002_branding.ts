import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What a workspace says instead of what its CRM says of it; a null leaves it to the CRM. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_branding (
      workspace_id text primary key,
      revision     integer not null default 1,
      name         text check (name <> ''),
      colour       text check (colour ~ '^#[0-9a-f]{6}$'),
      welcome      text check (welcome <> ''),
      logo         bytea,
      logo_type    text check (logo_type in ('image/svg+xml', 'image/png')),
      logo_width   double precision check (logo_width > 0),
      logo_height  double precision check (logo_height > 0),
      logo_version text,
      changed_at   timestamptz not null default now(),
      changed_by   text not null,
      check (num_nulls(logo, logo_type, logo_width, logo_height, logo_version) in (0, 5))
    );

    grant select, insert, update on portal.client_branding to ${app};

    alter table portal.client_branding enable row level security, force row level security;
    create policy workspace on portal.client_branding to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_branding')
