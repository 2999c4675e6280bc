interface RowAccess {
  /** What the portal's role may do with the rows that it sees; by default everything. */
  grant?: string
  /** What the owner of the tables may do with the rows of every workspace; by default everything. */
  owner?: 'all' | 'select' | 'none'
  /** Whether a client sees only its own rows, by the column `client_id`; by default yes. */
  perClient?: boolean
  /** Whether it is staff's alone: no transaction of a client sees or writes any of it. */
  staffOnly?: boolean
  /**
   * Whether one client may have very many rows. PostgreSQL takes the usual policy for one that leaves one row in 200, and
   * sorts instead of reading an index in its order; this one it takes for one that leaves half of them.
   */
  many?: boolean
}

/**
 * SQL for a migration: grants the portal's role access to a table in schema `portal` and forces row-level security
 * on it, by workspace and, where the transaction has one, by client.
 */
export function rowSecurity(table: string, app: string, access: RowAccess = {}): string {
  const {
    grant = 'select, insert, update, delete',
    owner = 'all',
    perClient = !access.staffOnly,
    many = false,
  } = access
  return [
    `grant ${grant} on portal.${table} to ${app};`,
    `alter table portal.${table} enable row level security, force row level security;`,
    `create policy workspace on portal.${table} to ${app}
      using (workspace_id = nullif(current_setting('portal.workspace_id', true), ''));`,
    perClient &&
      `create policy client on portal.${table} as restrictive to ${app}
      using (${many ? ownOfMany : own});`,
    access.staffOnly &&
      `create policy staff on portal.${table} as restrictive to ${app}
      using (coalesce(current_setting('portal.client_id', true), '') = '');`,
    owner !== 'none' && `create policy owner on portal.${table} for ${owner} to current_user using (true);`,
  ]
    .filter(Boolean)
    .join('\n    ')
}

const own = `client_id = coalesce(nullif(current_setting('portal.client_id', true), ''), client_id)`
const ownOfMany = `case when coalesce(current_setting('portal.client_id', true), '') = '' then true
        else client_id = current_setting('portal.client_id', true) end`
