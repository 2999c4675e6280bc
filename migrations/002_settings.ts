import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/** What a workspace sets: for itself, for one client, for one person. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw([portalSettings(app), pluginSettings(app), roles(app), branding(app), mailTexts(app)].join('\n\n'))

const portalSettings = (app: string) => `
    -- An empty client or person means all of them.
    create table portal.client_portal_settings (
      workspace_id text not null,
      client_id    text not null default '',
      person_id    text not null default '',
      name         text not null,
      value        jsonb not null,
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      primary key (workspace_id, client_id, person_id, name)
    );
    ${rowSecurity('client_portal_settings', app, { owner: 'select', perClient: false })}`

const pluginSettings = (app: string) => `
    create table portal.client_plugin_settings (
      workspace_id text not null,
      name         text not null,
      value        jsonb,
      sealed       bytea,
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      primary key (workspace_id, name),
      check (num_nonnulls(value, sealed) = 1)
    );
    ${rowSecurity('client_plugin_settings', app, { perClient: false })}`

const roles = (app: string) => `
    create table portal.client_roles (
      workspace_id text not null,
      role         text not null check (role in ('admin', 'approver', 'billing', 'member', 'viewer')),
      name         text check (name <> ''),
      permissions  jsonb not null default '{}',
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      primary key (workspace_id, role)
    );
    ${rowSecurity('client_roles', app, { grant: 'select, insert, update', owner: 'select', perClient: false })}`

const branding = (app: string) => `
    -- A null leaves it to the CRM.
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
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      check (num_nulls(logo, logo_type, logo_width, logo_height, logo_version) in (0, 5))
    );
    ${rowSecurity('client_branding', app, { grant: 'select, insert, update', owner: 'none', perClient: false })}`

const mailTexts = (app: string) => `
    -- Empty lines separate the paragraphs of a body.
    create table portal.client_mail_texts (
      workspace_id text not null,
      kind         text not null,
      language     text not null,
      subject      text not null check (subject <> ''),
      body         text not null check (body <> ''),
      changed_at   timestamptz not null default portal.now(),
      changed_by   text not null,
      primary key (workspace_id, kind, language)
    );
    ${rowSecurity('client_mail_texts', app, { owner: 'none', perClient: false })}`

export const down = (db: Knex) =>
  db.raw(`
    drop table portal.client_mail_texts, portal.client_branding, portal.client_roles, portal.client_plugin_settings,
      portal.client_portal_settings;
  `)
