import type { Knex } from 'knex'
import { load, type Migrated, migrationNames, migrations, type Roles } from '../knexfile.ts'

export { migrationNames }

/** The database was migrated by a release that has more migrations. */
export class NewerRelease extends Error {}

interface How {
  /** The role that the portal connects as. */
  role: string
  /** Those that are not in plugins/, where they have tables of their own. */
  plugins?: Migrated[]
}

/**
 * Creates Portico's own tables in schema `portal`, as the role that shall own them. Nothing outside of that schema is
 * read or changed. Run again, it applies what is new. Tables of a plugin that is not there any more stay. Throws where
 * the database was migrated by a newer release.
 */
export async function migrate(owner: Knex, { role, plugins = [] }: How): Promise<string[]> {
  await owner.raw('create schema if not exists portal')
  const known = migrationNames(plugins)
  const newer = (await applied(owner)).filter(it => !it.includes('/') && !known.includes(it))
  if (newer.length)
    throw new NewerRelease(
      `A newer release of Portico has migrated this database (${newer.join(', ')}). Install that one.`,
    )
  const [, names] = await owner.migrate.latest(migrations(role, plugins))
  return names
}

async function applied(owner: Knex): Promise<string[]> {
  const there = await owner.schema.withSchema('portal').hasTable('migrations')
  return there ? owner('portal.migrations').orderBy('id').pluck('name') : []
}

/**
 * Takes back every migration and the schema: what Portico stored is gone, what was the CRM's is as it was. Throws, and
 * changes nothing, where a plugin that has tables is not installed any more.
 */
export async function rollback(owner: Knex, { role, plugins = [] }: How): Promise<string[]> {
  const known = migrationNames(plugins)
  const absent = new Set((await applied(owner)).filter(it => !known.includes(it)).map(it => it.split('/')[0]))
  if (absent.size)
    throw new Error(
      `Plugins that are not installed any more have tables: ${[...absent].join(', ')}. Install them for this.`,
    )
  const [, names] = await owner.migrate.rollback(migrations(role, plugins), true)
  await owner.raw('drop schema portal cascade')
  return names
}

/** The statements that `migrate` runs for this role, in order, without running them. */
export async function migrationSql(role: string): Promise<string[]> {
  const said: string[] = []
  const listening = { raw: async (sql: string) => said.push(sql) } as unknown as Knex
  for (const name of migrationNames()) {
    const { up } = await load(name)
    await up(listening, { app: `"${role}"` } satisfies Roles)
  }
  return said
}
