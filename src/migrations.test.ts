import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { role } from '../demo/portal-database.ts'
import { fresh, urlOf } from '../test/database.ts'
import { migrate } from './index.ts'
import { migrationNames } from './migrations.ts'
import { root } from './root.ts'

describe('migrations', () => {
  const knexCommand = (name: string, ...what: string[]) =>
    promisify(execFile)(process.execPath, [join(root, 'node_modules/knex/bin/cli.js'), ...what], {
      cwd: root,
      env: { ...process.env, DATABASE_URL: urlOf(name), PORTAL_DATABASE_URL: `postgresql://${role}@x/y` },
    })

  it('are the same for npx knex and for portico migrate, and granted to the same role', async () => {
    const { name, owner } = await fresh()
    const last = migrationNames().at(-1)!
    expect((await knexCommand(name, 'migrate:status')).stdout).to.include('No Pending Migration files Found')
    const refused = await knexCommand(name, 'migrate:rollback', '--all').catch(error => error)
    expect(refused.stderr).to.include('Use portico rollback')
    await owner('portal.migrations').where({ name: last }).delete()
    await owner.raw('alter table portal.client_chains drop column at')
    expect((await knexCommand(name, 'migrate:status')).stdout).to.include('Found 1 Pending')
    expect(await migrate(owner, { role })).to.deep.equal([last])
    await owner('portal.migrations').insert({ name: '999_of_next_year', batch: 9, migration_time: new Date() })
    const newer = await migrate(owner, { role }).catch(error => error)
    expect(newer.message).to.include('A newer release of Portico has migrated this database (999_of_next_year)')
  })
})
