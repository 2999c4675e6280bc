import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash } from '@node-rs/argon2'
import knex, { type Knex } from 'knex'
import { migrateCrm } from '../demo/crm/migrate.ts'
import { seedCrm } from '../demo/crm/seed.ts'
import people from '../demo/people.json' with { type: 'json' }
import { connectPortal, preparePortal, seedAccounts } from '../demo/portal-database.ts'
import { startPostgres } from '../demo/postgres.ts'
import { signingKeys } from '../src/evidence/keys.ts'
import { secretsFit } from '../src/platform/secrets.ts'

/** The day it is in every test, and the instant at which each begins: the portal's clock is the database's. */
export const today = '2026-11-21'
/** Early in a half minute, so that no test meets the end of one: codes of authenticator apps change then. */
export const nineInTheMorning = `${today}T08:00:01Z`
/** What the portal signs and seals with. */
export const secret = 'a secret of at least thirty-two characters'
/** Of the role that Portico runs as. */
export const password = 'only-in-tests'

const brightside = { slug: 'brightside', name: 'Brightside Agency', letterhead: [], timeZone: 'Europe/Amsterdam' }

/**
 * The folder of a stopped PostgreSQL with two databases to copy: `crm`, the demo's, and `portal`, the same with Portico in
 * it. It goes with this process.
 */
export async function buildCluster(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'portico-cluster-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const server = await startPostgres({ directory, quick: true })
  const connect = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  const owner = (name: string) => knex({ client: 'pg', connection: connect(name), pool: { min: 0, max: 4 } })
  try {
    await fill(owner, name => connectPortal(connect(name), password))
  } finally {
    await server.stop()
  }
  return directory
}

/** A copy of such a folder that can be started: owners of files stay who they are. */
export async function copyCluster(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', join(from, 'cluster'), join(from, 'password'), to])
}

async function fill(owner: (name: string) => Knex, connect: (name: string) => Knex) {
  const postgres = owner('postgres')
  await postgres.raw('create database crm')
  const crm = owner('crm')
  await migrateCrm(crm)
  await seedCrm(crm, { today })
  await crm.destroy()

  await postgres.raw('create database portal template crm')
  const [portal, database] = [owner('portal'), connect('portal')]
  await preparePortal(portal, password)
  // Nothing that is scheduled falls due on the hour in the middle of a test that does not ask for it.
  await portal('portal_jobs.version').update({ cron_on: portal.raw(`now() + interval '1 year'`) })
  await setClock(portal, nineInTheMorning)
  // Made once: a key of 3,072 bits takes a second to find.
  await signingKeys(database, [secret])({ ...brightside, id: '1' })
  await secretsFit(database, [secret])
  await seedAccounts(portal, database)
  await hashCheaply(portal)
  await Promise.all([portal, database, postgres].map(it => it.destroy()))
}

/** People sign in a thousand times in the tests: with a hash that costs as little as Argon2id can. */
async function hashCheaply(portal: Knex) {
  for (const { email, password: known } of people.filter(it => it.kind === 'client')) {
    const password_hash = await hash(known, { memoryCost: 8, timeCost: 1, parallelism: 1 })
    await portal('portal.client_users').where({ email }).update({ password_hash })
  }
}

/** From now on it is this instant in this database, and goes on from there. */
export const setClock = (owner: Knex, instant: string | Date) =>
  owner.raw(`
    do $do$ begin
      -- Several portals on one database may set it at once.
      perform pg_advisory_xact_lock(hashtext('portal.now'));
      execute format(
        'create or replace function portal.now() returns timestamptz language sql stable parallel safe
         as $body$ select pg_catalog.now() + %L::interval $body$',
        '${new Date(instant).toISOString()}'::timestamptz - clock_timestamp());
    end $do$`)
