import type { KeyUse } from './crypto.ts'

/** A column of `portal.<table>` that is kept sealed. */
export interface SealedColumn {
  table: string
  /** Of its key, beside the workspace. */
  id: string
  column: string
  use: KeyUse
  /** Rows that count, as a condition. */
  which: string
}

/** All sealed columns. Short-lived values (links, codes, cookies) expire instead of being resealed. */
export const sealedColumns: SealedColumn[] = [
  { table: 'client_keys', id: 'id', column: 'sealed', use: 'signing key', which: 'true' },
  { table: 'client_factors', id: 'id', column: 'key', use: 'second factor', which: `kind = 'app'` },
  { table: 'client_staff_factors', id: 'id', column: 'key', use: 'second factor', which: `kind = 'app'` },
  { table: 'client_registration_codes', id: 'client_id', column: 'sealed', use: 'customer code', which: 'true' },
  { table: 'client_plugin_settings', id: 'name', column: 'sealed', use: 'plugin setting', which: 'true' },
  { table: 'client_outbox', id: 'id', column: 'sealed', use: 'mail', which: 'true' },
]
