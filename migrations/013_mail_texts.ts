import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** What a workspace writes in its own words: a kind of mail, in a language. `body` has paragraphs with empty lines between. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_mail_texts (
      workspace_id text not null,
      kind         text not null,
      language     text not null,
      subject      text not null check (subject <> ''),
      body         text not null check (body <> ''),
      changed_at   timestamptz not null default now(),
      changed_by   text not null,
      primary key (workspace_id, kind, language)
    );
    grant select, insert, update, delete on portal.client_mail_texts to ${app};
    alter table portal.client_mail_texts enable row level security, force row level security;
    create policy workspace on portal.client_mail_texts to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  `)

export const down = (db: Knex) => db.raw('drop table portal.client_mail_texts')
