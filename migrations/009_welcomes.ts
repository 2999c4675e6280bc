import type { Knex } from 'knex'
import type { Roles } from '../knexfile.ts'
import { rowSecurity } from '../src/platform/row-security.ts'

/**
 * When an invitation's mail was accepted by the mail server, and when people first and last opened the portal. When one of
 * several second factors ends that staff are removing.
 */
export const up = (db: Knex, { app }: Roles) => db.raw([stamps, visits(app), ends].join('\n\n'))

const stamps = `
    alter table portal.client_invitations add mail_id uuid, add mailed_at timestamptz;
    create index client_invitations_mail on portal.client_invitations (workspace_id, mail_id) where mail_id is not null;
    create index client_invitations_person on portal.client_invitations (workspace_id, email);

    create function portal.stamp_invitation() returns trigger
    language plpgsql set search_path = '' as $body$
    begin
      update portal.client_invitations set mailed_at = new.sent_at
        where workspace_id = new.workspace_id and mail_id = new.id;
      return null;
    end $body$;
    create trigger stamp_invitation after update of sent_at on portal.client_outbox
      for each row when (new.kind = 'invitation' and old.sent_at is null and new.sent_at is not null)
      execute function portal.stamp_invitation();`

const visits = (app: string) => `
    -- A session writes the last visit, at most every five minutes.
    create table portal.client_visits (
      workspace_id text not null,
      person_id    uuid not null,
      first_at     timestamptz,
      last_at      timestamptz,
      recalled_at  timestamptz,
      primary key (workspace_id, person_id),
      foreign key (workspace_id, person_id) references portal.client_users on delete cascade
    );
    create index on portal.client_visits (workspace_id, last_at desc);
    create index client_outbox_person on portal.client_outbox (workspace_id, person_id) where person_id is not null;
    ${rowSecurity('client_visits', app, { perClient: false })}

    create function portal.record_visit() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    begin
      insert into portal.client_visits as v (workspace_id, person_id, first_at, last_at)
        select new.workspace_id, new.person_id, portal.now(), portal.now()
        from portal.client_users u where u.workspace_id = new.workspace_id and u.id = new.person_id
        on conflict (workspace_id, person_id) do update
          set first_at = coalesce(v.first_at, excluded.first_at), last_at = excluded.last_at
          where v.last_at is null or v.last_at < excluded.last_at - interval '5 minutes';
      return null;
    end $body$;
    create trigger record_visit after insert or update of expire on portal.client_sessions
      for each row when (new.person_id is not null and new.sid not like 'api.%')
      execute function portal.record_visit();

    -- The owner of the tables reads the devices of all workspaces, this once.
    alter table portal.client_devices no force row level security;
    insert into portal.client_visits (workspace_id, person_id, first_at, last_at)
      select workspace_id, person_id, min(first_seen_at), max(last_seen_at) from portal.client_devices group by 1, 2;
    alter table portal.client_devices force row level security;`

const ends = `
    alter table portal.client_factors add ends_at timestamptz;
    alter table portal.client_staff_factors add ends_at timestamptz;`

export const down = (db: Knex) =>
  db.raw(`
    alter table portal.client_staff_factors drop ends_at;
    alter table portal.client_factors drop ends_at;
    drop trigger record_visit on portal.client_sessions;
    drop trigger stamp_invitation on portal.client_outbox;
    drop function portal.record_visit, portal.stamp_invitation;
    drop table portal.client_visits;
    drop index portal.client_invitations_person, portal.client_outbox_person;
    alter table portal.client_invitations drop mail_id, drop mailed_at;
  `)
