import type { Knex } from 'knex'

/** One open invitation for each client and address: of several that there are, the newest stays. */
export const up = (db: Knex) =>
  db.raw(`
    alter table portal.client_invitations no force row level security;
    update portal.client_invitations i set revoked_at = portal.now(), asked_at = null
      where i.used_at is null and i.revoked_at is null and exists (
        select from portal.client_invitations o
        where o.workspace_id = i.workspace_id and o.client_id = i.client_id and o.email = i.email
          and o.used_at is null and o.revoked_at is null and (o.created_at, o.id) > (i.created_at, i.id));
    alter table portal.client_invitations force row level security;
    create unique index client_invitations_one_open on portal.client_invitations (workspace_id, client_id, email)
      where used_at is null and revoked_at is null;
  `)

export const down = (db: Knex) => db.raw('drop index portal.client_invitations_one_open')
