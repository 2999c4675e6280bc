import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { adapter } from '../../demo/adapter/adapter.ts'
import { portalUrl, role } from '../../demo/portal-database.ts'
import { startPostgres } from '../../demo/postgres.ts'
import { load } from '../../knexfile.ts'
import { close, fresh, password, urlOf } from '../../test/database.ts'
import type { Config } from '../cli/config.ts'
import { migrateAll } from '../cli/migrate.ts'
import { destroy } from '../cli/rollback.ts'
import { checkMigrations } from '../crm/activation/checks.ts'
import { migrate, rollback } from '../index.ts'
import { migrationNames } from './migrations.ts'
import { root } from './root.ts'

const execute = promisify(execFile)

describe('migrations', () => {
  const knexCommand = (name: string, ...what: string[]) =>
    execute(process.execPath, [join(root, 'node_modules/knex/bin/cli.js'), ...what], {
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
    await (await load(last)).down(owner)
    expect((await knexCommand(name, 'migrate:status')).stdout).to.include('Found 1 Pending')
    expect(await migrate(owner, { role })).to.deep.equal([last])
    await owner('portal.migrations').insert({ name: '999_of_next_year', batch: 9, migration_time: new Date() })
    const newer = await migrate(owner, { role }).catch(error => error)
    expect(newer.message).to.include('A newer release of Portico has migrated this database (999_of_next_year)')
  })

  it('are taken back one by one, last first, and leave nothing behind; brought again, all is as it was', async () => {
    const copy = await fresh('crm')
    const { owner } = copy
    const names = await migrate(owner, { role })
    expect(names).to.deep.equal(migrationNames())
    const before = await objectsOf(owner)
    for (const name of names.toReversed()) await (await load(name)).down(owner)
    expect(await objectsOf(owner)).to.deep.equal(before.filter(it => /migrations/.test(it)))
    await owner('portal.migrations').delete()
    await migrate(owner, { role })
    expect(await objectsOf(owner)).to.deep.equal(before)
    await close(copy)
  })

  describe('of a database that an earlier development version has migrated', () => {
    const said =
      /migrated by a development version of Portico.*portico export.*portico rollback --destroy.*portico migrate/

    it('are refused by migrate, rollback and the doctor, which say what to do and change nothing', async () => {
      const copy = await fresh()
      await asFormer(copy.owner)
      const before = await objectsOf(copy.owner)
      for (const work of [migrate, rollback])
        expect((await work(copy.owner, { role }).catch(error => error)).message).to.match(said)
      const { problems } = await checkMigrations(copy.owner)
      expect(problems).to.have.length(1)
      expect(problems[0]).to.match(said)
      const url = urlOf(copy.name)
      const config: Config = {
        ownerUrl: url,
        url: portalUrl(url, password),
        crm: adapter,
        address: 'https://crm.example',
      }
      expect(await migrateAll(config).catch(String)).to.match(said)
      for (const without of [false, true])
        expect(await destroy(config, { destroy: true, 'without-evidence': without }).catch(String)).to.match(said)
      expect(await objectsOf(copy.owner)).to.deep.equal(before)
      await close(copy)
    })

    it('are refused by npm start, which names the folder to delete', async function () {
      this.timeout(120_000)
      const data = mkdtempSync(join(tmpdir(), 'portico-former-'))
      try {
        const postgres = await startPostgres({ directory: join(data, 'postgres') })
        const owner = knex({ client: 'pg', connection: postgres.url })
        await owner.raw('create schema portal; create table portal.migrations (id serial, name text)')
        await asFormer(owner)
        await owner.destroy()
        await postgres.stop()
        const env = { ...process.env, PORTICO_DATA: data, PORT: '65000' }
        const { stderr } = await execute(process.execPath, ['demo/start.js'], { cwd: root, env }).catch(error => error)
        expect(stderr).to.equal(
          `The data of this demo is from a development version of Portico. Delete the folder ${data} and start again.\n`,
        )
      } finally {
        rmSync(data, { recursive: true, force: true })
      }
    })
  })
})

/** As the list of migrations was before they were put together by subject. */
async function asFormer(owner: Knex) {
  await owner('portal.migrations').delete()
  const names = ['001_people_sessions_settings_activity', '002_branding', '003_enter_keeps_its_plan']
  for (const name of names) await owner('portal.migrations').insert({ name })
}

/** Tables, indexes, sequences, columns, constraints, policies, functions and triggers of Portico's schemas. */
async function objectsOf(owner: Knex): Promise<string[]> {
  const { rows } = await owner.raw(`
    with ours as (select oid from pg_namespace where nspname in ('portal', 'portal_jobs'))
    select 'relation ' || oid::regclass || ' ' || coalesce(relacl::text, '') as it
      from pg_class where relnamespace in (table ours) and relname !~ '^queue_stats_'
    union all select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod)
      from pg_attribute join pg_class c on c.oid = attrelid
      where relnamespace in (table ours) and relkind = 'r' and attnum > 0 and relname !~ '^queue_stats_'
    union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace in (table ours) and conrelid::regclass::text !~ 'queue_stats_'
    union all select 'policy ' || polrelid::regclass || ' ' || polname from pg_policy
    union all select 'function ' || oid::regprocedure || ' ' || coalesce(proacl::text, '')
      from pg_proc where pronamespace in (table ours)
    union all select 'trigger ' || tgrelid::regclass || ' ' || tgname from pg_trigger
      join pg_class c on c.oid = tgrelid where relnamespace in (table ours) and not tgisinternal
    order by 1`)
  return rows.map((row: { it: string }) => row.it)
}
