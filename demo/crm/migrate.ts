import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Knex } from 'knex'

const directory = join(import.meta.dirname, 'migrations')

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => (await readdir(directory)).filter(name => name.endsWith('.ts')).sort(),
  getMigrationName: name => name.replace(/\.ts$/, ''),
  getMigration: name => import(`./migrations/${name}`),
}

const where = { migrationSource, schemaName: 'public', tableName: 'knex_migrations' }

export async function migrateCrm(knex: Knex): Promise<void> {
  await knex.migrate.latest(where)
}

export async function rollbackCrm(knex: Knex): Promise<void> {
  await knex.migrate.rollback(where, true)
}
