import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { root } from '../src/platform/root.ts'
import { postgres, urlOf } from './database.ts'
import { fingerprint } from './fingerprint.ts'
import { freePort } from './free-port.ts'
import { Browser } from './package/host.ts'
import { until } from './until.ts'

describe('served beside a CRM in another database', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'portico-elsewhere-'))
  const databases = { crm: 'elsewhere_crm', portal: 'elsewhere_portal' }
  let owner: Knex
  let env: NodeJS.ProcessEnv
  let server: ChildProcess
  let home: string
  let untouched: object

  const run = (command: string, more: NodeJS.ProcessEnv = {}) => {
    const child = spawn(process.execPath, [join(root, 'src/cli.ts'), ...command.split(' ')], {
      cwd: folder,
      env: { ...env, ...more },
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
    return new Promise<string>((resolve, reject) =>
      child.once('close', code => (code ? reject(new Error(`${command}: ${text}`)) : resolve(text))),
    )
  }

  before(async () => {
    for (const it of Object.values(databases)) await postgres.raw(`create database ${it}`)
    await postgres.raw(`create role portal_elsewhere login password 'only-in-tests'`)
    owner = knex({ client: 'pg', connection: urlOf(databases.crm), pool: { min: 0, max: 2 } })
    await owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    const map = readFileSync(join(root, 'test/kite/crm.map.ts'), 'utf8')
    writeFileSync(join(folder, 'crm.map.ts'), map.replace(`'../../src/index.ts'`, `'${root}/src/index.ts'`))
    const as = (name: string) =>
      Object.assign(new URL(urlOf(name)), { username: 'portal_elsewhere', password: 'only-in-tests' }).href
    env = {
      ...process.env,
      PORT: await freePort(),
      LOG_LEVEL: 'silent',
      CUSTOMER_PORTAL_ENABLED: 'true',
      DATABASE_URL: urlOf(databases.portal),
      PORTAL_DATABASE_URL: as(databases.portal),
      CRM_DATABASE_URL: as(databases.crm),
      PORTAL_SECRET: 'thirty-two-characters-that-nobody-guesses',
      STOP_NOTICE: '0',
    }
    home = `http://127.0.0.1:${env.PORT}`
    await owner.raw(await run('doctor --grants --map crm.map.ts'))
    untouched = await fingerprint(owner)
  })

  after(async () => {
    server?.kill('SIGKILL')
    await postgres.raw(`alter database ${databases.crm} connection limit -1`)
    await owner.destroy()
    rmSync(folder, { recursive: true })
  })

  const away = async (is: boolean) => {
    await owner.destroy()
    await postgres.raw(`alter database ${databases.crm} connection limit ${is ? 0 : -1}`)
    if (is)
      await postgres.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${databases.crm}'`)
    owner.initialize()
  }

  const anna = { email: 'anna@bicycles.example', password: 'nine geese over a frozen lake' }
  const ready = async () => (await fetch(`${home}/portal/-/ready`)).json()

  it('is enabled, and shows a client an invoice', async () => {
    await run('migrate --map crm.map.ts')
    await run(`audit --quiet --database ${urlOf(databases.crm)}`)
    expect(await run('enable --by Mia --map crm.map.ts')).to.include('✓ the audit fits the database')
    await run('staff add --workspace kite --email lea@kite.example --name Lea --map crm.map.ts', {
      STAFF_PASSWORD: 'tall grass under slow clouds',
    })
    const invited = await run(`invite --workspace kite --client 1 --email ${anna.email} --name Anna --map crm.map.ts`)
    server = spawn(process.execPath, [join(root, 'src/cli.ts'), 'serve', '--map', 'crm.map.ts'], { cwd: folder, env })
    await new Promise((resolve, reject) => {
      server.stdout?.once('data', resolve)
      server.once('close', reject)
    })

    const jo = new Browser(home)
    const [, token] = /invitation\/(\S+)/.exec(invited) ?? []
    const { password } = anna
    expect((await jo.post(`/portal/kite/invitation/${token}`, { name: 'Anna', password })).status).to.equal(303)
    expect((await jo.get('/portal/kite/invoices')).text).to.include('K-101')
    expect(await ready()).to.deep.equal({ status: 'ready', crm: 'answers' })
  })

  it('signs people in while the CRM is away, says what cannot be shown, and shows it when it is back', async () => {
    const staff = new Browser(home)
    const form = { email: 'lea@kite.example', password: 'tall grass under slow clouds' }
    expect((await staff.post('/staff/kite/sign-in', form)).status).to.equal(303)
    await away(true)

    const client = new Browser(home)
    expect((await client.post('/portal/kite/sign-in', { ...anna, password: 'wrong' })).status).to.be.oneOf([422, 503])
    expect((await client.post('/portal/kite/sign-in', anna)).status).to.equal(303)
    const first = await client.get('/portal/kite/')
    expect(first.status).to.equal(200)
    expect(first.text).to.include('could not be loaded').and.include('Kite Studio')
    const invoices = await client.get('/portal/kite/invoices')
    expect(invoices).to.include({ status: 503 })
    expect(invoices.text)
      .to.include('This information is temporarily unavailable.')
      .and.not.match(/too many|ECONN|elsewhere|\.ts:/)
    expect((await client.get('/portal/kite/account')).status).to.equal(200)
    expect(await ready()).to.deep.equal({ status: 'ready', crm: 'does not answer' })
    expect((await fetch(`${home}/portal/-/health`)).status).to.equal(200)
    expect((await staff.get('/settings/client-portal/state')).text)
      .to.include('The CRM’s database answers')
      .and.include('Failed')
    expect(await (await fetch(`${home}/portal/-/metrics`)).text()).to.include('portico_crm_answers 0')

    await away(false)
    await until(async () => (await client.get('/portal/kite/invoices')).status === 200)
    expect(await ready()).to.deep.equal({ status: 'ready', crm: 'answers' })
    expect((await client.get('/portal/kite/')).text).to.not.include('could not be loaded')
  })

  it('left the CRM as it was', async () => {
    expect(await fingerprint(owner)).to.deep.equal(untouched)
  })
})
