import type { Facts } from '../model.ts'
import { readMysql } from './database/mysql.ts'
import { readPostgres } from './database/postgres.ts'

/** What a kind of database needs to be audited. Each reads only, and says in `notes` what it could not read. */
type DatabaseReader = (url: string, progress: (text: string) => void) => Promise<Facts>

const readers: Record<string, DatabaseReader> = {
  'postgres:': readPostgres,
  'postgresql:': readPostgres,
  'mysql:': readMysql,
  'mariadb:': readMysql,
}

/** The facts of a database, by the kind that its address names. Throws where nobody can read that kind. */
export function readDatabase(url: string, progress: (text: string) => void = () => {}): Promise<Facts> {
  const kind = URL.canParse(url) ? new URL(url).protocol : ''
  const reader = readers[kind]
  if (!reader) throw new Error(expected)
  return reader(url, progress)
}

const expected =
  '--database must be the address of a PostgreSQL, MySQL or MariaDB database: postgresql://user@host/name, mysql://user@host/name.'
