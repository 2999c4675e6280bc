import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { migrateCrm } from '../../demo/crm/migrate.ts'
import { seedCrm } from '../../demo/crm/seed.ts'
import { connectPortal, preparePortal, role, seedAccounts } from '../../demo/portal-database.ts'
import { root } from '../../src/platform/root.ts'
import { password, secret } from '../database.ts'
import { Browser } from '../package/host.ts'
import { type Instance, inShell, run, serve } from '../portico.ts'
import { until } from '../until.ts'
import { whoIs } from '../visit.ts'
import { startPostgres } from './server.ts'

/** What "Backup and restore" of the guide says to type: the role of the backup, the backup, and two ways to restore. */
const [asOnce = '', backUp = '', restoreWhole = '', restoreOwn = ''] = [
  ...readFileSync(join(root, 'docs/operations.md'), 'utf8')
    .split('\n## Backup and restore\n')[1]!
    .split('\n## ')[0]!
    .matchAll(/```sh\n(.*?)```/gs),
].map(it => it[1]!)

const grants = restoreOwn.split('\n').find(it => it.includes('--grants')) ?? ''
const map = join(root, 'demo/adapter/map.ts')
const owner = whoIs('owner')

describe('a backup, made and restored as the guide says', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'portico-restore-'))
  let server: Awaited<ReturnType<typeof startPostgres>>
  let instance: Instance | undefined
  let browser: Browser
  let offer: string
  let pdf: Buffer

  const env = (database: string) => ({
    ...process.env,
    PATH: `${server.programs}:${process.env.PATH}`,
    ADMIN_URL: server.url('postgres', database),
    BACKUP_URL: server.url('portal_backup', database),
    DATABASE_URL: server.url('crm_owner', database),
    PORTAL_DATABASE_URL: server.url(role, database),
    PORTAL_SECRET: secret,
    CUSTOMER_PORTAL_ENABLED: 'true',
    LOG_LEVEL: 'warn',
    STOP_NOTICE: '0',
  })

  /** Lines of the guide. */
  const shell = async (lines: string, database: string) => {
    const these = inShell(lines).replaceAll('crm.map.ts', map).replaceAll('portal_app', role)
    return promisify(execFile)('/bin/sh', ['-ec', these], { cwd: folder, env: env(database) })
  }

  const admin = async (...lines: string[]) => {
    const it = knex({ client: 'pg', connection: server.url('postgres'), pool: { min: 0, max: 1 } })
    for (const line of lines) await it.raw(line)
    await it.destroy()
  }

  const open = async (database: string, port?: string) => {
    instance = await serve(map, { cwd: folder, env: { ...env(database), ...(port && { PORT: port }) } })
    return instance.port
  }
  const close = async () => {
    instance?.child.kill('SIGKILL')
    await until(() => instance?.child.signalCode)
  }

  before(async () => {
    server = await startPostgres()
    await admin('create role crm_owner login createrole', 'create database shop owner crm_owner')
    await fill(server.url('crm_owner', 'shop'))
    // What the demo's own adapter needs is more than what its map does.
    await shell(
      `psql "$DATABASE_URL" -c 'revoke select, insert, update on all tables in schema public from portal_app'`,
      'shop',
    )
    await shell(grants, 'shop')
    browser = new Browser(`http://127.0.0.1:${await open('shop')}`)
    const { email, password } = owner
    expect((await browser.post('/portal/brightside/sign-in', { email, password })).status).to.equal(303)
    offer = await accept(browser)
    await until(async () => (await rows(server.url('postgres', 'shop')))['portal.client_seals']?.startsWith('1 '))
    pdf = (await browser.get(`${offer}/evidence/pdf?download`)).bytes
    await close()
    await shell(asOnce, 'shop')
    await shell(backUp, 'shop')
  })
  after(async () => {
    await close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('is refused to the owner of the tables, from whom row-level security would hide rows', async () => {
    const refused = await shell('pg_dump --schema=portal --file=less.dump "$DATABASE_URL"', 'shop').then(
      () => '',
      error => error.stderr,
    )
    expect(refused).to.include('query would be affected by row-level security policy')
  })

  it('holds every row of the portal’s own', async () => {
    await admin('create database whole owner crm_owner')
    await shell(restoreWhole, 'whole')
    expect(await rows(server.url('postgres', 'whole'))).to.deep.equal(await rows(server.url('postgres', 'shop')))
  })

  it('continues after a restore: sessions, signatures and their key', () => goesOn('whole'))

  it('can be restored apart from the CRM, on a server without its roles', async () => {
    const kept = await rows(server.url('postgres', 'shop'))
    await shell(
      'pg_dump --format=custom --no-privileges --exclude-schema="portal*" --file=own.dump "$BACKUP_URL"',
      'shop',
    )
    await admin('drop database shop', 'drop database whole', `drop role ${role}`)
    await admin('create database again owner crm_owner')
    await shell('pg_restore --dbname="$DATABASE_URL" own.dump', 'again')
    await shell(restoreOwn.replace('choose one', password), 'again')
    expect(await rows(server.url('postgres', 'again'))).to.deep.equal(kept)
  })

  it('goes on there as well', () => goesOn('again'))

  async function goesOn(database: string) {
    const place = { cwd: folder, env: env(database) }
    expect(await run(`doctor --map ${map}`, place)).to.not.include('✗')
    const later = browser.at(`http://127.0.0.1:${await open(database)}`)
    expect((await later.get('/portal/brightside/account')).text).to.include(owner.email)
    expect((await later.get(`${offer}/evidence`)).text).to.include('Signed PDF')

    const form = new FormData()
    form.set('file', new File([new Uint8Array(pdf)], 'signed.pdf', { type: 'application/pdf' }))
    expect((await later.send('/portal/brightside/verify', form)).text).to.include(
      'This is exactly the document that was signed.',
    )
    await run(`export --workspace brightside --out ${database} --map ${map}`, place)
    const bundles = readdirSync(join(folder, database)).filter(it => it.endsWith('.json'))
    expect(bundles).to.have.length(1)
    expect(await run(`verify ${join(folder, database, bundles[0]!)}`, place)).to.not.include('✗')
    await close()
  }
})

/** The demo's CRM with a portal, and accounts in it. */
async function fill(url: string) {
  const as = knex({ client: 'pg', connection: url, pool: { min: 0, max: 4 } })
  await migrateCrm(as)
  // The portal is a program of its own here, with the real clock.
  await seedCrm(as, { today: new Date().toISOString().slice(0, 10) })
  await preparePortal(as, password)
  const database = connectPortal(url, password)
  await seedAccounts(as, database)
  await Promise.all([as.destroy(), database.destroy()])
}

/** Where the accepted proposal is. */
async function accept(browser: Browser) {
  const list = await browser.get('/portal/brightside/api/v1/proposals?search=Winter+campaign')
  const offer = `/portal/brightside/proposals/${JSON.parse(list.text).items[0].id}`
  const page = await browser.get(`${offer}/acceptance`)
  const fields = new URLSearchParams({ agree: 'on', how: 'typed', typed: owner.name })
  for (const [, name = '', value = ''] of page.text.matchAll(/<input type="hidden" name="([^"]+)"\s+value="([^"]*)"/g))
    fields.append(name, value)
  expect((await browser.send(`${offer}/acceptance`, fields)).status).to.equal(303)
  return offer
}

/** A digest of every table of the portal's own. */
async function rows(url: string) {
  const as: Knex = knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })
  const { rows: tables } = await as.raw(
    `select schemaname || '.' || tablename as name from pg_tables where schemaname in ('portal', 'portal_jobs') order by 1`,
  )
  const found: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await as.raw(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as it from ${name} t`,
    )
    found[name] = rows[0].it
  }
  await as.destroy()
  return found
}
