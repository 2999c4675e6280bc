import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex from 'knex'
import { migrateCrm } from '../demo/crm/migrate.ts'
import { seedCrm } from '../demo/crm/seed.ts'
import { connectPortal, preparePortal, seedAccounts } from '../demo/portal-database.ts'
import { startPostgres } from '../demo/postgres.ts'

export const password = 'only-in-benches'

/** The demo CRM with the portal's tables and accounts, on a PostgreSQL of its own; `owner` owns all tables. */
export async function prepareDemo() {
  const postgres = await startPostgres({ directory: mkdtempSync(join(tmpdir(), 'portico-bench-')), throwaway: true })
  const owner = knex({ client: 'pg', connection: postgres.url, pool: { min: 0, max: 4 } })
  await migrateCrm(owner)
  await seedCrm(owner, { today: new Date().toISOString().slice(0, 10) })
  await preparePortal(owner, password)
  const database = connectPortal(postgres.url, password)
  await seedAccounts(owner, database)
  await database.destroy()
  return { postgres, owner }
}
