/**
 * SQL for a plugin's migration: the portal's role may read and write this table of schema `portal`, and only rows of the
 * workspace that a transaction has entered, or of its client where it has entered one. The table has the columns
 * `workspace_id` and `client_id` (text); `app` is the role, as the migration is given it.
 */
export const rowSecurity = (table: string, app: string): string => `
  grant select, insert, update, delete on portal.${table} to ${app};
  alter table portal.${table} enable row level security, force row level security;
  create policy owner on portal.${table} to current_user using (true) with check (true);
  create policy workspace on portal.${table} to ${app}
    using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));
  create policy client on portal.${table} as restrictive to ${app}
    using (client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id));
`
