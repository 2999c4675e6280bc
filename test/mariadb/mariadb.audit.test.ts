import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createConnection } from 'mysql2/promise'
import { readDatabase } from '../../audit/collectors/database.ts'
import { audit } from '../../audit/index.ts'
import { audited } from '../../src/cli/audit.ts'
import { until } from '../until.ts'
import { binary, type MariaDb, startMariaDb } from './server.ts'

const crm = `
  create table firms (id int auto_increment primary key, name varchar(80));
  create table customers (id int auto_increment primary key, firm_id int not null, name varchar(80), email varchar(120),
    foreign key (firm_id) references firms (id));
  create table invoices (id bigint unsigned auto_increment primary key, firm_id int not null, customer_id int not null,
    number varchar(20), status enum('draft', 'sent', 'paid') not null, kind varchar(20) check (kind in ('invoice', 'credit')),
    issued_on date, due_on date, total int, currency char(3), meta json, notes text,
    unique key number_of_firm (firm_id, number), key (customer_id),
    constraint whose foreign key (customer_id) references customers (id));
  create table invoice_items (id int auto_increment primary key, invoice_id bigint unsigned, description text, quantity decimal(10,2),
    unit_price decimal(12,2));
  create table other (id int primary key); create table odd (id int, other_id int, customer_id int, state varchar(20));
  create table \`back\`\`tick one\` (\`it's\` int, status varchar(20));
  create view open_invoices as select id, number from invoices where status = 'sent';
  insert into firms (name) values ('One'); insert into customers (firm_id, name, email) values (1, 'Ann', 'ann@secret.example');
  insert into invoices (firm_id, customer_id, number, status, kind, total, currency, meta)
    select 1, 1, concat('I-', seq), 'sent', 'invoice', seq * 12100, 'EUR', '{}' from seq_1_to_9;
  insert into invoice_items (invoice_id, description, quantity, unit_price) select seq, 'work', 1, 12.5 from seq_1_to_9;
  insert into odd select seq, seq + 100, 1, if(seq > 3, 'open', 'done') from seq_1_to_9; insert into other values (1);`

describe('audit of MariaDB', () => {
  let server: MariaDb
  const folder = mkdtempSync(join(tmpdir(), 'portico-mariadb-audit-'))

  before(async function () {
    if (!binary) {
      console.log('      There is no mariadbd here: install mariadb-server (apt-get) to run this.')
      this.skip()
    }
    server = await startMariaDb()
    await server.run('create database crm; create database empty')
    await server.run(crm, 'crm')
  })
  after(async () => {
    await server?.stop()
    rmSync(folder, { recursive: true })
  })

  it('reads tables, views, keys, enums, checks, unique columns and what text looks like', async () => {
    const { tables, database, notes } = await readDatabase(server.url('crm'))
    expect(notes).to.deep.equal([])
    expect(database?.kind).to.equal('MariaDB')
    const find = (table: string, column: string) =>
      tables.find(it => it.name === table)!.columns.find(it => it.name === column)!
    const invoices = tables.find(it => it.name === 'invoices')!
    expect(find('invoices', 'status')).to.deep.include({ type: 'enum', values: ['draft', 'sent', 'paid'] })
    expect(find('invoices', 'kind').values).to.deep.equal(['invoice', 'credit'])
    expect(find('invoices', 'customer_id')).to.include({ references: 'customers' }).and.not.have.property('guessed')
    expect(find('invoices', 'meta').type).to.equal('json')
    expect(find('invoices', 'total').type).to.match(/^int/)
    expect(invoices.unique).to.deep.equal([['id'], ['firm_id', 'number']])
    expect(find('invoices', 'currency')).to.include({ format: 'currency code' })
    expect(find('customers', 'email')).to.include({ format: 'email' })
    expect(find('odd', 'state').values).to.deep.equal(['done', 'open'])
    expect(tables.find(it => it.name === 'open_invoices')).to.include({ view: true })
    expect(tables.map(it => it.name)).to.include('back`tick one')
  })

  it('guesses undeclared keys from names and values, whatever the width of their types', async () => {
    const { tables } = await readDatabase(server.url('crm'))
    const columns = tables.find(it => it.name === 'odd')!.columns
    expect(columns.find(it => it.name === 'customer_id')).to.include({ references: 'customers', guessed: true })
    expect(columns.find(it => it.name === 'other_id')).not.to.have.property('references')
    const items = tables.find(it => it.name === 'invoice_items')!.columns
    expect(items.find(it => it.name === 'invoice_id')).to.include({ references: 'invoices', guessed: true })
  })

  it('sends only reading statements, in one read-only transaction', async () => {
    const before = readFileSync(server.log, 'utf8').length
    await readDatabase(server.url('crm'))
    const said = readFileSync(server.log, 'utf8').slice(before)
    const entries = said.split(/\n(?=(?:\d{6} [ \d:]+)?\t+ *\d+ (?:Connect|Query|Quit|Init DB|Prepare|Execute)\t)/)
    const statements = entries.flatMap(it => it.match(/ (?:Query|Prepare|Execute|Init DB)\t\s*([\s\S]*)/)?.[1] ?? [])
    expect(statements.length).to.be.greaterThan(15)
    const begin = statements.indexOf('start transaction read only')
    expect(statements.slice(0, begin)).to.deep.equal([
      'select version() as version',
      'set session max_statement_time = 4',
      'set session lock_wait_timeout = 1, session innodb_lock_wait_timeout = 1',
      'set session transaction isolation level repeatable read',
    ])
    const rest = statements.slice(begin + 1)
    expect(rest.at(-1)?.trim()).to.equal('rollback')
    expect(rest.slice(0, -1).filter(it => !/^select /.test(it))).to.deep.equal([])
    expect(
      rest.filter(it => /\b(insert|update|delete|replace|into outfile|for update|get_lock|sleep)\b/i.test(it)),
    ).to.deep.equal([])
  })

  it('tells nothing of a person, and which database it was', async () => {
    const { report, json } = await audit({ database: server.url('crm').replace('mysql:', 'mariadb:') })
    expect(report + JSON.stringify(json))
      .not.to.include('ann@secret')
      .and.not.to.match(/\bAnn\b/)
    expect(report).to.match(/Your database is MariaDB \d+\.\d+\. This version can audit MySQL and MariaDB/)
    expect(report).to.include('Stop here: this version cannot run the portal on this database.')
    expect(json.data.invoices).to.include({
      table: 'invoices',
      client: 'customer_id',
      tenant: 'firm_id',
      status: 'status',
    })
  })

  it('drafts a map that says first that this version cannot run on it', async () => {
    const file = join(folder, 'crm.map.ts')
    const files = { out: join(folder, 'report.md'), json: join(folder, 'audit.json'), map: file }
    await audited({ database: server.url('crm'), ...files, quiet: true })
    const text = readFileSync(file, 'utf8')
    expect(text.split('\n')[2]).to.match(/^\/\/ Your database is MariaDB .* It cannot run the portal on them yet/)
    expect(text).to.include(`words: { sent: 'open', paid: 'paid' }, // 85 %`)
    expect(text).to.match(
      /inCents: todo\('total is integer: are these cents\? Here the largest is 108900, a typical one 60500/,
    )
    expect(text).to.include('kind is invoice, credit: which are for clients?')
  })

  it('says what a user may not read', async () => {
    await server.run(
      `create user blind@'127.0.0.1'; grant select on empty.* to blind@'127.0.0.1';
       create user half@'127.0.0.1'; grant select on crm.firms to half@'127.0.0.1'; grant insert on crm.customers to half@'127.0.0.1'`,
    )
    const half = await readDatabase(server.url('crm', 'half'))
    expect(half.tables.map(it => it.name)).to.deep.equal(['customers', 'firms'])
    expect(half.notes).to.deep.equal(['1 table may not be read with this user: columns were looked at, rows were not.'])
    const said = async (url: string) => (await audit({ database: url })).notes.join()
    expect(await said(server.url('crm', 'blind'))).to.include('this user may not open that database')
    expect(await said(server.url('empty', 'blind'))).to.equal('The database has no table that this user can see.')
    expect(await said(server.url('none'))).to.include('there is no database of that name')
    expect(await said(server.url('', 'root'))).to.include('names no database')
    const wrong = await audit({ database: server.url('crm', 'half:hunter2') })
    expect(wrong.notes.join()).to.include('it refuses this user or password.').and.not.include('hunter2')
  })

  it('does not wait for a locked table, and says that it was left out', async () => {
    const other = await createConnection(server.url('crm'))
    await other.query('lock tables odd write')
    const begun = Date.now()
    const { notes, tables } = await readDatabase(server.url('crm'))
    await other.end()
    expect(Date.now() - begun).to.be.lessThan(10_000)
    expect(notes.join()).to.include('Some samples of the database were left out: a statement took too long.')
    expect(tables.map(it => it.name)).to.include('odd')
  })

  it('keeps what it has read when the connection is lost', async () => {
    const other = await createConnection(server.url('crm'))
    other.on('error', () => {})
    await other.query('lock tables odd write')
    const waits = async () => {
      const [rows] = await other.query(
        `select id from information_schema.processlist where state like 'Waiting for table%'`,
      )
      return (rows as unknown[]).length
    }
    let killed: Promise<void> | undefined
    const { tables, notes } = await readDatabase(server.url('crm'), step => {
      if (step === 'database: keys') killed = until(waits).then(() => server.run(killAudit).catch(() => {}))
    })
    await killed
    other.destroy()
    expect(tables.map(it => it.name)).to.include('invoices')
    expect(notes).to.deep.equal(['The database went away while it was read. What was read before is in the report.'])
  })

  /** Ends every other connection. */
  const killAudit = `begin not atomic
    for it in (select id from information_schema.processlist where id <> connection_id() and command <> 'Daemon') do
      kill it.id;
    end for; end`
})
