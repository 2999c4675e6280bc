import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Knex } from 'knex'

/** The role of the application, which gets its grants from migrations. */
export interface Roles {
  /** The role that the portal connects as, quoted for SQL. It owns nothing and is granted what it needs. */
  app: string
}

/** A plugin that is not in `plugins/`, with its folder of migrations. */
export interface Migrated {
  name: string
  folder?: string
}

/** Portico's own migrations, and those of plugins, for the role that the portal connects as. */
export const migrations = (role: string, plugins: Migrated[] = []): Knex.MigratorConfig => ({
  schemaName: 'portal',
  tableName: 'migrations',
  // A plugin that was taken out leaves its tables, and its names in the list: `migrate` looks for others.
  disableMigrationsListValidation: true,
  migrationSource: {
    getMigrations: async () => migrationNames(plugins),
    getMigrationName: (name: string) => name,
    getMigration: async (name: string) => {
      const { up, down } = await load(name, plugins)
      const roles: Roles = { app: `"${role.replaceAll('"', '""')}"` }
      return { up: (db: Knex) => up(db, roles), down: (db: Knex) => down(db, roles) }
    },
  },
})

/** Those that this version has, in their order: `<n>_<words>`, and those of a plugin as `<plugin>/<n>_<words>`. */
export const migrationNames = (plugins: Migrated[] = []): string[] => [...files(plugins).keys()]

export const load = (name: string, plugins: Migrated[] = []) =>
  import(pathToFileURL(files(plugins).get(name) ?? '').href)

/** By their names, which are the same from `.ts` and from `.js`. */
function files(plugins: Migrated[]): Map<string, string> {
  const here = import.meta.dirname
  const found = globSync('plugins/*/migrations', { cwd: here }).map(it => join(here, dirname(it)))
  const folders = new Map(found.map(it => [basename(it), it]))
  for (const { name, folder } of plugins) if (folder) folders.set(name, folder)
  return new Map([
    ...filesIn(join(here, 'migrations'), ''),
    ...[...folders].sort().flatMap(([name, folder]) => filesIn(join(folder, 'migrations'), `${name}/`)),
  ])
}

const filesIn = (folder: string, prefix: string): [string, string][] =>
  globSync('[0-9]*.{ts,js}', { cwd: folder, exclude: ['*.d.ts'] })
    .sort()
    .map(it => [prefix + it.replace(/\.[jt]s$/, ''), join(folder, it)])

const { DATABASE_URL, PORTAL_DATABASE_URL } = process.env
const role = decodeURIComponent(URL.parse(PORTAL_DATABASE_URL ?? '')?.username || 'portal_app')

/** Nothing is taken back by `npx knex`: it would drop signatures that nobody has exported. */
const forwardOnly = (its: Knex.MigratorConfig): Knex.MigratorConfig => {
  const source = its.migrationSource as Knex.MigrationSource<string>
  const down = async () => {
    throw new Error('Use portico rollback: it keeps signatures that were not exported.')
  }
  const getMigration = async (name: string) => ({ ...(await source.getMigration(name)), down })
  return { ...its, migrationSource: { ...source, getMigration } }
}

/**
 * For `npx knex migrate:status` and the like, with the same environment as `portico migrate`: DATABASE_URL as the owner of
 * the tables, PORTAL_DATABASE_URL as the role that the portal connects as. Plugins of portico.config are not in it.
 */
const config: Knex.Config = { client: 'pg', connection: DATABASE_URL, migrations: forwardOnly(migrations(role)) }
export default config
