import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readSource } from '../../audit/collectors/source.ts'
import { audit } from '../../audit/index.ts'

describe('audit of a source tree', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portico-source-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const tableNames = async () => (await readSource(root)).tables.map(it => it.name)

  it('skips dependencies, generated and ignored files, tests and translations', async () => {
    put('schema.sql', 'create table clients (id int, name text);')
    for (const place of ['node_modules/x', 'vendor/x', 'dist', 'tests', 'lang', 'ignored', 'deep/also_ignored'])
      put(`${place}/schema.sql`, `create table from_${place.replaceAll('/', '_')} (id int, name text);`)
    put('.gitignore', '/ignored/\nalso_ignored\n!kept.sql\n')
    put('app.min.js', 'knex.schema.createTable("minified", t => t.string("a"))')
    put('client.js', '// @generated\nknex.schema.createTable("generated", t => t.string("a"))')
    expect(await tableNames()).to.deep.equal(['clients'])
  })

  it('reads an empty directory, Latin-1 text, circular links, a 200 MB file and invalid JavaScript without failing', async () => {
    expect((await audit({ source: root })).notes).to.include(
      'No source file that the audit can read is in the directory.',
    )

    put(
      'latin.sql',
      Buffer.from(
        'create table soci\xe9t\xe9s (id int, pr\xe9nom text); create table clients (id int, name text);',
        'latin1',
      ),
    )
    symlinkSync(root, join(root, 'again'))
    put('huge.sql', '')
    truncateSync(join(root, 'huge.sql'), 200 * 1024 * 1024)
    put('broken.js', 'import express from "express"; const = = {{{')
    const { notes } = await audit({ source: root })
    expect(notes.join('\n')).to.include('huge.sql was not read: it is 200 MB large.').and.include('not valid')
    expect(await tableNames()).to.include('clients')
  })

  it('says when the directory does not exist', async () => {
    const { whole, notes } = await audit({ source: join(root, 'nowhere') })
    expect(whole).to.equal(false)
    expect(notes.join()).to.include('There is no directory')
  })

  it('changes nothing in the tree', async () => {
    put('app.js', 'const app = require("express")(); app.get("/portal/:token", (req, res) => res.end())')
    const sum = () =>
      readdirSync(root, { recursive: true, encoding: 'utf8' })
        .sort()
        .map(it => {
          const stat = statSync(join(root, it))
          return `${it} ${stat.mtimeMs} ${stat.mode} ${
            stat.isFile()
              ? createHash('sha256')
                  .update(readFileSync(join(root, it)))
                  .digest('hex')
              : ''
          }`
        })
    const before = sum()
    await audit({ source: root })
    expect(sum()).to.deep.equal(before)
  })

  it('replays migrations in order, with renamed and dropped tables and columns', async () => {
    put('db/002.sql', 'alter table client rename to customers; alter table customers add phone text; drop table old;')
    put('db/001.sql', 'create table client (id int, fax text); create table old (id int, x int);')
    put('db/010.sql', 'alter table customers rename column fax to mail; alter table customers drop column phone;')
    const { tables } = await readSource(root)
    expect(tables.map(it => [it.name, it.columns.map(one => one.name).join()])).to.deep.equal([
      ['customers', 'id,mail'],
    ])
  })

  const commented = `create table invoices (
      id int, -- the first (of several), the client's "own"
      number text not null, -- printed; unique, once sent
      -- client_id int,
      total_cents int, # in cents, (never 1'000)
      #old_total int,
      state text default '-- none, (yet)' /* draft, sent (or paid)
        and it's final */, due_date date,
      \`memo\` varchar(20) default "isn't -- set, (yet)",
      /* a block, */ paid numeric(10, 2) -- the last one, without a comma
    ); -- the end;
    alter table invoices add sent date, -- when, (if ever)
      add column seen date;
    create table lines (id int, invoice_id int -- its invoice
      references invoices, -- and no other
      kind text check (kind in ('hour', 'piece')) # what, counts
    );`

  it('reads every column of a table whose SQL has comments', async () => {
    put('schema.sql', commented)
    const { tables } = await readSource(root)
    expect(tables.map(it => [it.name, it.columns.map(one => one.name).join()])).to.deep.equal([
      ['invoices', 'id,number,total_cents,state,due_date,memo,paid,sent,seen'],
      ['lines', 'id,invoice_id,kind'],
    ])
    const [invoices, lines] = tables
    expect(invoices!.columns[1]).to.include({ type: 'text', at: 'schema.sql:3' })
    expect(lines!.columns[1]!.references).to.equal('invoices')
    expect(lines!.columns[2]!.values).to.deep.equal(['hour', 'piece'])
  })

  it('finds no portal in a model without routes, an unused user type or a permission on customers', async () => {
    put(
      'models.sql',
      "create table customers (id int, name text, password text); create table users (id int, password text, role text check (role in ('admin', 'customer')));",
    )
    put('Proposal.php', '<?php class Proposal extends Model {}')
    put(
      'app.js',
      `const app = require('express')()
      app.get('/customers/:id', auth, can('customers.view'), (req, res) => res.end())
      app.get('/quotes/:id', requirePermission('customers.edit'), (req, res) => res.end())
      app.get('/settings/portal', auth, (req, res) => res.end())
      app.get('/vendor/portal/:token', (req, res) => res.end())
      function auth(req, res, next) { req.user ? next() : res.redirect('/login') }`,
    )
    const { json } = await audit({ source: root })
    const claimed = Object.entries(json.answers).filter(([, it]) => it.status === 'implemented')
    expect(claimed.map(([id]) => id)).to.deep.equal([])
    expect(json.answers.A1).to.include({ status: 'partial' })
    expect(json.answers.A1.reason).to.include('no route by which they sign in')
  })

  it('does not count a customer id from the request as an ownership check', async () => {
    put(
      'schema.sql',
      'create table customers (id int, name text, password text); create table invoices (id int, customer_id int, number text, total numeric, due_date date);',
    )
    const portal = (which: string) => `const app = require('express')()
      app.post('/portal/login', (req, res) => res.json(check(req.body.password)))
      app.get('/portal/invoices', requireCustomer, (req, res) => res.json(find('invoices', ${which})))`
    put('app.js', portal('req.query.customer_id'))
    expect((await audit({ source: root })).json.answers.D4.status).to.equal('partial')
    put('app.js', portal('req.customer.id'))
    expect((await audit({ source: root })).json.answers.D4.status).to.equal('implemented')
  })

  it('tells clients from bank accounts, supplier bills and the company that runs the CRM', async () => {
    put(
      'schema.sql',
      `create table companies (id int, name text); create table accounts (id int, name text, iban text);
      create table clients (id int, company_id int references companies, name text);
      create table bills (id int, company_id int references companies, supplier_id int, number text, total numeric, due_date date);
      create table invoices (id int, company_id int references companies, client_id int references clients, number text, total numeric, due_date date);
      create table transfers (id int, account_id int references accounts, amount numeric); create table deposits (id int, account_id int references accounts, amount numeric);`,
    )
    const { json } = await audit({ source: root })
    expect(json.data.clients!.table).to.equal('clients')
    expect(json.data.invoices!.table).to.equal('invoices')
    expect(json.data.tenants!.table).to.equal('companies')
  })

  it('does not take staff for clients when ids look like tokens, or guards and models are named after customers', async () => {
    put(
      'schema.sql',
      'create table customers (id int, name text); create table users (id int, password text); create table quotes (id int, customer_id int, number text, total numeric, date date);',
    )
    put(
      'app.js',
      `const app = require('express')()
      app.use('/api', (req, res, next) => { if (!req.user) return res.status(401).end(); next() })
      app.get('/api/quotes/:uuid', (req, res) => res.json(find(req.params.uuid)))
      app.post('/api/quotes/:id/approve', requireCustomerAccess, (req, res) => res.json(save({ status: 'approved' })))
      app.get('/customer/:id/invoices', (req, res) => res.json(req.ctx.db.customer.find(req.params.id)))
      app.get('/users', requireUser, (req, res) => res.end())`,
    )
    const { json } = await audit({ source: root })
    const claimed = Object.entries(json.answers).filter(
      ([, it]) => it.status === 'implemented' || it.status === 'partial',
    )
    expect(claimed.map(([id]) => id)).to.deep.equal([])
  })
})
