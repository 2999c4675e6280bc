import type { Knex } from 'knex'

/** An invitation may be taken back; and who has not come yet is listed, the newest first. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_invitations add revoked_at timestamptz;
    create index client_invitations_waiting on portal.client_invitations (workspace_id, created_at desc)
      where used_at is null and revoked_at is null;
  `)

export const down = (db: Knex) =>
  db.raw(`
    drop index portal.client_invitations_waiting;
    alter table portal.client_invitations drop revoked_at;
  `)
