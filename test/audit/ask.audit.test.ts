import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit, type Recorded } from '../../audit/index.ts'
import { root } from '../../src/platform/root.ts'
import { until } from '../until.ts'

const crms = join(import.meta.dirname, 'crms')
const cli = join(root, 'src/cli.ts')

describe('portico audit --ask', () => {
  let here: string
  beforeEach(() => {
    here = mkdtempSync(join(tmpdir(), 'portico-ask-'))
  })
  afterEach(() => rmSync(here, { recursive: true, force: true }))

  const run = (input: string, ...args: string[]) =>
    spawnSync(process.execPath, [cli, 'audit', ...args], { cwd: here, encoding: 'utf8', input })
  const json = () => JSON.parse(readFileSync(join(here, 'audit.json'), 'utf8'))
  const report = () => readFileSync(join(here, 'AUDIT_REPORT.md'), 'utf8')
  const nest = join(crms, 'nest-typeorm')

  it('records answers with name, day and note, and decides by them', () => {
    const { stdout, status } = run('Ana\nhalf of it\nyes\nsigns in at /me\n', '--source', nest, '--ask')
    expect(status).to.equal(0)
    expect(stdout)
      .to.match(/\d questions that decide most/)
      .and.include('Please say implemented, partial, missing or skip.')
    const [first, ...others] = json().recorded as Recorded[]
    expect(others).to.deep.equal([])
    expect(first).to.include({ answer: 'implemented', by: 'Ana', note: 'signs in at /me' })
    expect(first!.on).to.match(/^\d{4}-\d\d-\d\d$/)
    const answer = json().answers[first!.about]
    expect(answer).to.include({ status: 'implemented', confidence: 1, decision: 'leave' })
    expect(answer.answeredBy).to.deep.equal({ name: 'Ana', on: first!.on, note: 'signs in at /me' })
    expect(report()).to.include(
      `**implemented** (answered by Ana, ${first!.on}). signs in at /me. The audit itself found it`,
    )
    expect(report()).to.include(`- **Answered by people:** ${first!.about} (Ana, ${first!.on})`)
  })

  it('takes the name from git or the machine, and asks at most eight, each at most once', () => {
    const { stdout } = run(`\n${'no\n\n'.repeat(9)}`, '--source', nest, '--ask')
    expect(stdout).to.match(/Your name \[.+\]: /)
    const recorded = json().recorded as Recorded[]
    expect(recorded.length).to.be.within(1, 8)
    expect(new Set(recorded.map(it => it.about)).size).to.equal(recorded.length)
    expect(recorded[0]!.by).to.equal(stdout.match(/Your name \[(.+?)\]/)![1])
    expect(Object.values(json().answers).filter((it: any) => it.answeredBy)).to.have.length(recorded.length)
    const again = run('\n', '--source', nest, '--ask')
    expect(again.stdout).to.match(/Keep it\? \[yes\]\/no/)
  })

  it('keeps answers in later audits, and forgets one that its author takes back', () => {
    run('Ana\nmissing\n\n', '--source', nest, '--ask')
    const [{ about }] = json().recorded
    run('', '--source', nest)
    expect(json().recorded).to.have.length(1)
    expect(json().answers[about].answeredBy.name).to.equal('Ana')
    run('Ben\nno\n', '--source', nest, '--ask')
    expect(json()).not.to.have.property('recorded')
    expect(json().answers[about]).not.to.have.property('answeredBy')
  })

  it('keeps what was answered when it is interrupted', async () => {
    const child = spawn(process.execPath, [cli, 'audit', '--source', nest, '--ask'], { cwd: here })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', text => (said += text))
    child.stdin.write('Ana\nyes\n\n')
    await until(() => /\n2 of \d/.test(said))
    child.kill('SIGINT')
    const [status] = await once(child, 'close')
    expect(status).to.equal(0)
    expect(said).to.include('Stopped. What you have answered is kept.').and.include('Written: AUDIT_REPORT.md')
    expect(json().recorded).to.have.length(1)
  })

  it('says where the source contradicts an answer by now, and where its subject is gone', async () => {
    const before: Recorded[] = [
      { about: 'B2', answer: 'missing', by: 'Ana', on: '2026-01-05', found: 'not-examined' },
      { about: 'B3', answer: 'missing', by: 'Ana', on: '2026-01-05', found: 'implemented' },
      { about: 'invoices.client', answer: 'payer_id', by: 'Ana', on: '2026-01-05', found: '' },
    ]
    const { notes, json, report } = await audit({ source: join(crms, 'express-knex'), recorded: before })
    expect(json.answers.B2.status).to.equal('missing')
    expect(notes[0]).to.match(/^Ana answered B2 with "missing" on 2026-01-05; by now the audit finds it implemented \(/)
    expect(notes[1]).to.equal(
      'Ana answered invoices.client with "payer_id" on 2026-01-05; this is not in facturas any more.',
    )
    expect(notes).to.have.length(2)
    expect(report).to.include(notes[0]!)
    expect(json.recorded!.map(it => it.about)).to.deep.equal(['B2', 'B3'])
  })

  it('asks whose a document is, which kinds are meant and whether amounts are cents; the draft follows', () => {
    mkdirSync(join(here, 'crm'))
    writeFileSync(
      join(here, 'crm', 'schema.sql'),
      `create table clients (id serial primary key, name text, email text);
       create table invoices (id serial primary key, client_id int references clients(id), payer_id int references clients(id),
         number text, total int, status text check (status in ('sent', 'paid')), currency text, due_date date,
         type text check (type in ('invoice', 'credit', 'proforma')), created_at timestamptz);`,
    )
    const { stdout } = run(
      'Ana\npayer_id\n\nyes\n\ninvoice, proforma\n\n',
      ...['--source', 'crm', '--ask', '--map', 'crm.map.ts'],
    )
    expect(stdout).to.include('Which column of invoices says whose a row is?').and.include('Are amounts whole cents?')
    expect(json().data.invoices).to.deep.include({
      client: 'payer_id',
      inCents: true,
      kinds: { column: 'type', values: ['invoice', 'proforma'] },
    })
    const map = readFileSync(join(here, 'crm.map.ts'), 'utf8')
    expect(map)
      .to.include(`client: 'payer_id'`)
      .and.include('inCents: true, // 100 %: answered')
      .and.include(`only: { type: ['invoice', 'proforma'] }, // 100 %: answered`)
    expect(report()).to.include('amounts in cents').and.include('only `type` `invoice`, `proforma`')
  })

  it('does not overwrite an audit.json that it cannot read', () => {
    writeFileSync(join(here, 'audit.json'), '{ "recorded": [')
    const { status, stderr } = run('', '--source', nest)
    expect(status).to.equal(1)
    expect(stderr).to.include('audit.json is there and cannot be read as an audit')
    expect(readFileSync(join(here, 'audit.json'), 'utf8')).to.equal('{ "recorded": [')
  })
})
