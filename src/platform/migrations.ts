import type { Knex } from 'knex'
import { load, type Migrated, migrationNames, migrations, type Roles } from '../../knexfile.ts'

export { migrationNames }

/** The database was migrated by a release that has more migrations. */
export class NewerRelease extends Error {}

/** The database was migrated by a development version with other table and column names. */
export class FormerVersion extends Error {
  constructor() {
    super(
      'This database was migrated by a development version of Portico, and this version cannot go on from there. ' +
        'With that version, say `portico export --workspace SLUG --out DIR` for each workspace and ' +
        '`portico rollback --destroy`; then say `portico migrate` with this one.',
    )
  }
}

interface How {
  /** The role that the portal connects as. */
  role: string
  /** Those that are not in plugins/, where they have tables of their own. */
  plugins?: Migrated[]
}

/**
 * Creates Portico's own tables in schema `portal`, as the role that shall own them. Nothing outside of that schema is
 * read or changed. Run again, it applies what is new. Tables of a plugin that is not there any more stay. Throws
 * NewerRelease or FormerVersion where the database was migrated by another version, and changes nothing then.
 */
export async function migrate(owner: Knex, { role, plugins = [] }: How): Promise<string[]> {
  await refuseFormer(owner)
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

/** Throws FormerVersion where this database was migrated by a version from before the first release. */
export async function refuseFormer(owner: Knex): Promise<void> {
  if (isFormer(await applied(owner))) throw new FormerVersion()
}

/** Whether a list of migrations begins as it did before they were put together by subject. */
export const isFormer = (names: string[]) => names.includes('001_people_sessions_settings_activity')

/**
 * Rolls back every migration and drops the schema. Everything that Portico stored is deleted; the CRM is unchanged.
 * Throws, and changes nothing, if a plugin with tables is not installed, or a newer version has migrated.
 */
export async function rollback(owner: Knex, { role, plugins = [] }: How): Promise<string[]> {
  await refuseFormer(owner)
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
