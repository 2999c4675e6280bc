import type { Knex } from 'knex'
import { load, migrationNames, migrations, type Roles } from '../knexfile.ts'

export { migrationNames }

/**
 * Creates Portico's own tables in schema `portal`, as the role that shall own them. Nothing outside of that schema is
 * read or changed. Run again, it applies what is new. `role` is the role that the portal connects as.
 */
export async function migrate(owner: Knex, { role }: { role: string }): Promise<string[]> {
  await owner.raw('create schema if not exists portal')
  const [, names] = await owner.migrate.latest(migrations(role))
  return names
}

/** Takes back every migration and the schema: what Portico stored is gone, what was the CRM's is as it was. */
export async function rollback(owner: Knex, { role }: { role: string }): Promise<string[]> {
  const [, names] = await owner.migrate.rollback(migrations(role), true)
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
