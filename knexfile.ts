import { globSync } from 'node:fs'
import { basename } from 'node:path'
import type { Knex } from 'knex'

export interface Roles {
  /** The role that the portal connects as, quoted for SQL. It owns nothing and is granted what it needs. */
  app: string
}

/** Portico's own migrations, for the role that the portal connects as. Names are the same from `.ts` and from `.js`. */
export const migrations = (role: string): Knex.MigratorConfig => ({
  schemaName: 'portal',
  tableName: 'migrations',
  migrationSource: {
    getMigrations: async () => migrationNames(),
    getMigrationName: (name: string) => name,
    getMigration: async (name: string) => {
      const { up, down } = await load(name)
      const roles: Roles = { app: `"${role.replaceAll('"', '""')}"` }
      return { up: (db: Knex) => up(db, roles), down: (db: Knex) => down(db, roles) }
    },
  },
})

/** Those that this version has, in their order. */
export const migrationNames = (): string[] => files().map(it => basename(it).replace(/\.[jt]s$/, ''))

export const load = (name: string) => import(`./${files().find(it => basename(it).startsWith(`${name}.`))}`)

const files = () => globSync('migrations/[0-9]*.{ts,js}', { cwd: import.meta.dirname }).sort()

const { DATABASE_URL, PORTAL_DATABASE_URL } = process.env

/**
 * For `npx knex migrate:status` and the like, with the same environment as `portico migrate`: DATABASE_URL as the owner of
 * the tables, PORTAL_DATABASE_URL as the role that the portal connects as.
 */
const config: Knex.Config = {
  client: 'pg',
  connection: DATABASE_URL,
  migrations: migrations(decodeURIComponent(URL.parse(PORTAL_DATABASE_URL ?? '')?.username || 'portal_app')),
}
export default config
