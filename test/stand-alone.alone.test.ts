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

const guide = readFileSync(join(root, 'docs/stand-alone.md'), 'utf8')

/** A command of the guide, and what it says there that it prints. */
const steps = [
  ...guide.matchAll(/```sh\n(npx|STAFF|CUSTOMER)([^\n]*)\n```[^`]*?(?:`[^`\n]+`[^`]*?)*```text\n(.*?)```/gs),
].map(it => ({
  command: `${it[1]}${it[2]}`,
  printed: it[3] ?? '',
}))

describe('the guide to a portal that stands alone', function () {
  this.timeout(60_000)
  const folder = mkdtempSync(join(tmpdir(), 'portico-kite-'))
  const name = 'kite'
  let owner: Knex
  let env: NodeJS.ProcessEnv
  let crm: string[]
  let server: ChildProcess | undefined
  let port: string

  before(async () => {
    await postgres.raw(`create database ${name}`)
    owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 2 } })
    await owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    const [, map = ''] = /```ts\n(.*?)```/s.exec(guide) ?? []
    const tried = readFileSync(join(root, 'test/kite/crm.map.ts'), 'utf8')
    expect(map.replace(`'portico'`, `'../../src/index.ts'`)).to.equal(tried)
    writeFileSync(join(folder, 'crm.map.ts'), map.replace(`'portico'`, `'${root}/src/index.ts'`))
    port = await freePort()
    const url = Object.assign(new URL(urlOf(name)), { username: 'portal_app', password: 'choose-one' })
    env = {
      ...process.env,
      PORT: port,
      DATABASE_URL: urlOf(name),
      PORTAL_DATABASE_URL: url.href,
      PORTAL_SECRET: 'thirty-two-characters-that-nobody-guesses',
      STOP_NOTICE: '0',
      PORTAL_ADDRESS: 'https://portal.kite.example/portal',
    }
  })

  after(async () => {
    server?.kill()
    await owner.destroy()
    rmSync(folder, { recursive: true })
  })

  const launch = (command: string, more: NodeJS.ProcessEnv = {}) =>
    spawn('/bin/sh', ['-c', command.replace('npx portico', `exec '${process.execPath}' '${root}/src/cli.ts'`)], {
      cwd: folder,
      env: { ...env, ...more },
    })
  const run = async (command: string, more?: NodeJS.ProcessEnv): Promise<{ code: number | null; text: string }> => {
    const child = launch(command, more)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', part => (text += part))
    return new Promise(resolve => child.once('close', code => resolve({ code, text })))
  }
  const step = async (word: string) => {
    const { command, printed } = steps.find(it => it.command.includes(word))!
    const { code, text } = await run(command)
    expect(code, text).to.equal(0)
    for (const part of printed.split('…')) expect(text, command).to.include(part.trim())
    return text
  }

  it('has seven steps with a command', () => expect(steps).to.have.length(7))

  it('begins with a role that has only the grants of the map', async () => {
    const sql = await step('--grants')
    await owner.raw(sql.replace(`'choose one'`, `'choose-one'`))
    crm = await fingerprint(owner)
  })

  it('refuses to be enabled before everything is so, and says what to do', async () => {
    const { code, text } = await run('npx portico enable --map crm.map.ts')
    expect(code).to.equal(1)
    for (const it of [
      '✗ the audit is there',
      'run portico audit',
      '✗ all migrations are applied',
      'run portico migrate',
    ])
      expect(text).to.include(it)
  })

  it('makes the tables, and the doctor finds nothing wrong and advises indexes', async () => {
    await step('migrate')
    await step('doctor --map')
  })

  it('names a wrong column of the map, a wrong entry and a wrong password, with what was probably meant', async () => {
    const map = readFileSync(join(folder, 'crm.map.ts'), 'utf8')
    const wrong = async (from: string, to: string) => {
      writeFileSync(join(folder, 'wrong.map.ts'), map.replace(from, to))
      return run('npx portico doctor --map wrong.map.ts')
    }
    const column = await wrong(`total: 'total_cents'`, `total: 'totl_cents'`)
    expect(column.code).to.equal(1)
    expect(column.text).to.include('billing_invoice.totl_cents: no such column; did you mean total_cents?')
    expect((await wrong(`'billing_line'`, `'biling_line'`)).text).to.include(
      'biling_line: no such table; did you mean billing_line?',
    )
    expect((await wrong('balance:', 'balanse:')).text).to.include(
      'invoices.balanse: no such entry; did you mean balance?',
    )

    const { code, text } = await run('npx portico doctor --map crm.map.ts', {
      PORTAL_DATABASE_URL: env.PORTAL_DATABASE_URL!.replace('choose-one', 'wrong'),
    })
    expect(code).to.equal(1)
    expect(text).to.include('✗ portal_app can sign in to the database').and.include('password authentication failed')
  })

  it('enables the portal for a role that may do what it needs and no more', async () => {
    const audited = await run(`npx portico audit --quiet --database '${urlOf(name)}'`)
    expect(audited.code, audited.text).to.equal(0)
    await owner.raw(
      'alter table billing_invoice alter total_cents type numeric(14,0); alter table billing_payment rename column cents to cts',
    )
    const refused = await run('npx portico enable --map crm.map.ts')
    expect(refused.code).to.equal(1)
    for (const it of [
      '✗ the audit fits the database',
      'billing_invoice.total_cents was bigint and is numeric(14,0)',
      'billing_payment.cents: no such column',
      'run portico audit with --database again',
    ])
      expect(refused.text).to.include(it)
    await owner.raw(
      'alter table billing_invoice alter total_cents type bigint; alter table billing_payment rename column cts to cents',
    )

    const away = { SMTP_URL: `smtp://127.0.0.1:${await freePort()}`, MAIL_FROM: 'portal@kite.example' }
    expect((await run('npx portico enable --map crm.map.ts', away)).text).to.match(
      /✗ the mail server answers .*ECONNREFUSED.*start it, or correct SMTP_URL/s,
    )
    expect((await run('npx portico enable --map crm.map.ts', { SMTP_URL: away.SMTP_URL })).text).to.include(
      'Set MAIL_FROM beside SMTP_URL',
    )

    await owner.raw('grant update (status), select (internal_note) on billing_invoice to portal_app')
    const much = await run('npx portico enable --map crm.map.ts')
    expect(much.code).to.equal(1)
    expect(much.text)
      .to.include('it may read public.billing_invoice (internal_note): revoke that')
      .and.include('it may change public.billing_invoice (status): revoke that')
    await owner.raw('revoke update (status), select (internal_note) on billing_invoice from portal_app')
    await owner.raw('revoke select (due_date) on billing_invoice from portal_app')
    expect((await run('npx portico enable --map crm.map.ts')).text).to.include(
      'billing_invoice.due_date: the portal’s role may not read it',
    )
    await owner.raw('grant select (due_date) on billing_invoice to portal_app')
    await step('enable')
  })

  it('ends with a client who reads an invoice, and staff who decide what clients see', async () => {
    await step('staff add')
    await step('invite')
    const { command, printed } = steps.at(-1)!
    server = launch(command, { LOG_LEVEL: 'silent' })
    const ready = await new Promise<string>((resolve, reject) => {
      server?.stdout?.setEncoding('utf8').once('data', resolve)
      server?.once('close', reject)
    })
    expect(ready).to.equal(printed.replaceAll('3000', port))

    const jo = new Browser(`http://127.0.0.1:${port}`)
    expect(
      (await jo.post('/portal/kite/sign-in', { email: 'jo@bicycles.example', password: 'wrong' })).status,
    ).to.equal(422)
    const signedIn = await jo.post('/portal/kite/sign-in', {
      email: 'jo@bicycles.example',
      password: 'a kite needs wind',
    })
    expect(signedIn.status).to.equal(303)
    const list = (await jo.get('/portal/kite/invoices')).text
    const [path] = /\/portal\/kite\/invoices\/[0-9a-f-]{36}/.exec(list) ?? []
    const invoice = (await jo.get(path!)).text
    for (const it of ['Kite no. 1', 'Frame', 'Cloth', '€', 'Jo’s Bicycles']) expect(invoice).to.include(it)
    expect(invoice).to.not.include('do not show')
    expect((await jo.get('/portal/kite/invoices/00000000-0000-4000-8000-000000000003')).status).to.equal(404)

    for (const [email, password] of [
      ['lea@kite.example', 'tall grass under slow clouds'],
      ['mia@kite.example', 'a kite needs wind'],
    ]) {
      const staff = new Browser(`http://127.0.0.1:${port}`)
      expect((await staff.get('/settings/client-portal/')).status).to.equal(404)
      expect((await staff.post('/staff/kite/sign-in', { email: email!, password: 'wrong' })).status).to.equal(422)
      expect((await staff.post('/staff/kite/sign-in', { email: email!, password: password! })).status).to.equal(303)
      expect((await staff.get('/settings/client-portal/')).text)
        .to.include('Visibility')
        .and.include('/staff/kite/sign-out')
      expect((await staff.post('/settings/client-portal/visibility', { 'was.payments': 'on' })).status).to.equal(303)
      await staff.post('/staff/kite/sign-out', {})
      expect((await staff.get('/settings/client-portal/')).status).to.equal(404)
      await owner('portal.client_portal_settings').delete()
    }
  })

  it('ends with a sentence where it cannot listen, and leaves no jobs running', async () => {
    const { command } = steps.at(-1)!
    const taken = await run(command, { LOG_LEVEL: 'silent' })
    expect(taken.text).to.equal(
      `Port ${port} of 127.0.0.1 is taken by another program. Stop that one, or set PORT to another port.\n`,
    )
    expect(taken.code).to.equal(1)
    const away = await run(command, { LOG_LEVEL: 'silent', HOST: '203.0.113.7' })
    expect(away.text).to.include('This machine has no address 203.0.113.7. Set HOST')
    const odd = await run(command, { LOG_LEVEL: 'silent', PORT: '80 80' })
    expect(odd.text).to.include('PORT is "80 80". Set it to a number from 1 to 65535.')
    expect(odd.code).to.equal(2)
  })

  it('slows down who tries passwords of staff, and keeps each try', async () => {
    const nobody = new Browser(`http://127.0.0.1:${port}`)
    const statuses = []
    for (let n = 0; n < 7; n++)
      statuses.push(
        (await nobody.post('/staff/kite/sign-in', { email: 'tom@kite.example', password: `guess ${n}` })).status,
      )
    expect(statuses).to.deep.equal([422, 422, 422, 422, 422, 429, 429])
    const { rows } = await owner.raw(
      `select event, actor_kind from portal.client_activity_logs where event ~ 'sign' order by id`,
    )
    expect(rows).to.deep.include({ event: 'account.signed-in', actor_kind: 'staff' })
    expect(rows.at(-1)).to.deep.equal({ event: 'account.sign-in-failed', actor_kind: 'nobody' })
  })

  it('left the CRM unchanged, also after Portico was removed', async () => {
    server?.kill('SIGTERM')
    await new Promise(done => server?.once('close', done))
    expect(await fingerprint(owner)).to.deep.equal(crm)
    expect((await run('npx portico disable --map crm.map.ts')).text).to.include('Disabled')
    expect((await run('npx portico rollback --destroy --map crm.map.ts')).code).to.equal(0)
    expect(await fingerprint(owner)).to.deep.equal(crm)
  })
})
