import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex from 'knex'
import { audit } from '../../audit/index.ts'
import { migrateCrm } from '../../demo/crm/migrate.ts'
import { seedCrm } from '../../demo/crm/seed.ts'
import { startPostgres } from '../../demo/postgres.ts'

const root = join(import.meta.dirname, '..', '..')

/** The report that is in the repository. */
export const reportFile = join(root, 'AUDIT_REPORT.md')

/** The demo CRM's audit, given its database. */
export const auditDemo = (database: string) => audit({ database, source: join(root, 'demo', 'crm') })

if (import.meta.main) {
  const server = await startPostgres({ directory: mkdtempSync(join(tmpdir(), 'portico-')), throwaway: true })
  const owner = knex({ client: 'pg', connection: server.url, pool: { min: 0, max: 2 } })
  await migrateCrm(owner)
  await seedCrm(owner, { today: '2026-11-21' })
  await owner.destroy()
  writeFileSync(reportFile, (await auditDemo(server.url)).report)
  await server.stop()
}
