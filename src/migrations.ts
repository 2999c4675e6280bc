import { globSync } from 'node:fs'
import { basename } from 'node:path'
import type { Knex } from 'knex'
import { root } from './root.ts'

export interface Roles {
  /** The role that the portal connects as, quoted for SQL. It owns nothing and is granted what it needs. */
  app: string
}

/**
 * Creates Portico's own tables in schema `portal`, as the role that shall own them. Nothing outside of that schema is
 * read or changed. Run again, it applies what is new. `role` is the role that the portal connects as.
 */
export async function migrate(owner: Knex, { role }: { role: string }): Promise<string[]> {
  await owner.raw('create schema if not exists portal')
  const [, names] = await owner.migrate.latest(settings(owner, role))
  return names
}

/** Takes back every migration and the schema: what Portico stored is gone, what was the CRM's is as it was. */
export async function rollback(owner: Knex, { role }: { role: string }): Promise<string[]> {
  const [, names] = await owner.migrate.rollback(settings(owner, role), true)
  await owner.raw('drop schema portal cascade')
  return names
}

/** The statements that `migrate` runs for this role, in order, without running them. */
export async function migrationSql(role: string): Promise<string[]> {
  const said: string[] = []
  const listening = { raw: async (sql: string) => said.push(sql) } as unknown as Knex
  for (const file of files()) {
    const { up } = await import(`../${file}`)
    await up(listening, { app: `"${role}"` } satisfies Roles)
  }
  return said
}

/** Names are without extension, so that they are the same from `.ts` and from compiled `.js`. */
const settings = (owner: Knex, role: string): Knex.MigratorConfig => ({
  schemaName: 'portal',
  tableName: 'migrations',
  migrationSource: {
    getMigrations: async () => migrationNames(),
    getMigrationName: (name: string) => name,
    getMigration: async (name: string) => {
      const file = files().find(it => basename(it).startsWith(`${name}.`))
      const { up, down } = await import(`../${file}`)
      const roles: Roles = { app: owner.client.wrapIdentifierImpl(role) }
      return { up: (db: Knex) => up(db, roles), down: (db: Knex) => down(db, roles) }
    },
  },
})

/** Those that this version has, in their order. */
export const migrationNames = () => files().map(it => basename(it).replace(/\.[jt]s$/, ''))

const files = () => globSync('migrations/[0-9]*.{ts,js}', { cwd: root }).sort()
