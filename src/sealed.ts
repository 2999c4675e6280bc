import type { Use } from './crypto.ts'

/** A column of `portal.<table>` that is kept sealed. */
export interface SealedColumn {
  table: string
  /** Of its key, beside the workspace. */
  id: string
  column: string
  use: Use
  /** Rows that count, as a condition. */
  which: string
}

/** Everything that is kept sealed. What lives shorter than a day (links, codes, cookies) ends by itself. */
export const sealedColumns: SealedColumn[] = [
  { table: 'client_keys', id: 'id', column: 'sealed', use: 'signing key', which: 'true' },
  { table: 'client_factors', id: 'id', column: 'key', use: 'second factor', which: `kind = 'app'` },
  { table: 'client_staff_factors', id: 'id', column: 'key', use: 'second factor', which: `kind = 'app'` },
  { table: 'client_codes', id: 'client_id', column: 'sealed', use: 'customer code', which: 'true' },
  { table: 'client_outbox', id: 'id', column: 'sealed', use: 'mail', which: 'true' },
]
