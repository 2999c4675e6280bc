import { migrate } from '../platform/migrations.ts'
import { type Config, connected, roleOf } from './config.ts'

export async function migrateAll(config: Config): Promise<string> {
  const names = await connected(config.ownerUrl, owner =>
    migrate(owner, { role: roleOf(config), plugins: config.plugins }),
  )
  return names.length ? `Applied ${names.join(', ')}.` : 'Nothing to do: all migrations are applied.'
}
