import type { Facts } from '../model.ts'
import { readPostgres } from './database/postgres.ts'

/** What a kind of database needs to be audited. Each reads only, and says in `notes` what it could not read. */
type DatabaseReader = (url: string, progress: (text: string) => void) => Promise<Facts>

const readers: Record<string, DatabaseReader> = { 'postgres:': readPostgres, 'postgresql:': readPostgres }

/** The facts of a database, by the kind that its address names. Throws where nobody can read that kind. */
export function readDatabase(url: string, progress: (text: string) => void = () => {}): Promise<Facts> {
  const kind = URL.canParse(url) ? new URL(url).protocol : ''
  const reader = readers[kind]
  if (!reader) throw new Error('--database must be the address of a PostgreSQL database: postgresql://user@host/name.')
  return reader(url, progress)
}
