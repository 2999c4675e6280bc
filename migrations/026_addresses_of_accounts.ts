import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'

/** Every address that an account has or had: by them, and by its contacts, it is known whose other accounts are the same human's. */
export const up = (db: Knex, { app }: Roles) =>
  db.raw(`
    create table portal.client_emails (
      workspace_id text not null,
      person_id    uuid not null,
      email        text not null,
      since        timestamptz not null default portal.now(),
      primary key (workspace_id, person_id, email),
      foreign key (workspace_id, person_id) references portal.client_users on delete cascade
    );
    create index on portal.client_emails (workspace_id, email);
    insert into portal.client_emails (workspace_id, person_id, email, since)
      select workspace_id, id, email, created_at from portal.client_users;
    grant select, delete on portal.client_emails to ${app};
    alter table portal.client_emails enable row level security, force row level security;
    create policy workspace on portal.client_emails to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
    create policy owner on portal.client_emails to current_user using (true);

    create function portal.keep_email() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
      insert into portal.client_emails (workspace_id, person_id, email) values (new.workspace_id, new.id, new.email)
        on conflict do nothing;
      return null;
    end $$;
    create trigger keep_email after insert or update of email on portal.client_users
      for each row execute function portal.keep_email();

    create index on portal.client_memberships (workspace_id, client_id, contact_id) where contact_id is not null;
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop index portal.client_memberships_workspace_id_client_id_contact_id_idx;
    drop trigger keep_email on portal.client_users;
    drop function portal.keep_email;
    drop table portal.client_emails;
  `)
