import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit } from '../../audit/index.ts'

describe('vocabulary of the audit', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portico-words-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, content: string) => writeFileSync(join(root, path), content)
  const app = (...routes: string[]) =>
    put('app.js', `const app = require('express')()\n${routes.map(it => `app.${it}`).join('\n')}`)
  const answers = async () => (await audit({ source: root })).json.answers
  const places = async () => (await audit({ source: root })).json.data

  const quotes = 'create table quotes (id int, client_id int, number text, total numeric, status text, token text);'

  it('takes setting the status behind a token for an acceptance, and behind a staff session for none', async () => {
    put('schema.sql', quotes)
    app(
      "put('/portal/quotes/:token/status', (req, res) => res.json(save({ status: req.body.status })))",
      "put('/quotes/:id', requireUser, (req, res) => res.end())",
    )
    const { B4, C4 } = await answers()
    expect([B4.status, C4.status]).to.deep.equal(['implemented', 'implemented'])

    app("put('/quotes/:id/status', requireUser, (req, res) => res.json(save({ status: req.body.status })))")
    expect((await answers()).C4.status).to.equal('missing')
  })

  for (const word of [
    'passphrase',
    'customerCode',
    'guest_token',
    'senha',
    'contrasena',
    'kennwort',
    'motDePasse',
    'sifre',
  ])
    it(`knows ${word} as what a client signs in with`, async () => {
      put('schema.sql', 'create table portal_users (id int, email text); create table clients (id int, name text);')
      app(
        `post('/portal/login', (req, res) => res.json(check(req.body.${word})))`,
        "get('/portal/invoices', requireCustomer, (req, res) => res.json(find(req.customer.id)))",
      )
      const { A1, A4 } = await answers()
      expect([A1.status, A4.status]).to.deep.equal(['implemented', 'implemented'])
    })

  for (const column of ['passphrase', 'senha_hash', 'contrasena', 'kennwort', 'mot_de_passe', 'sifre'])
    it(`knows the column ${column} as a credential`, async () => {
      put('schema.sql', `create table clients (id int, name text, ${column} text);`)
      app("get('/clients', requireUser, (req, res) => res.end())")
      expect((await answers()).A4.evidence.join()).to.include(`clients.${column}`)
    })

  it('finds the tables of a CRM in Turkish', async () => {
    put(
      'schema.sql',
      `create table musteriler (id int, name text);
      create table teklifler (id int, musteri_id int references musteriler, number text, total numeric);
      create table faturalar (id int, musteri_id int references musteriler, number text, total numeric);`,
    )
    const { clients, quotations, invoices } = await places()
    expect([clients?.table, quotations?.table, invoices?.table]).to.deep.equal(['musteriler', 'teklifler', 'faturalar'])
  })

  for (const [word, verb] of [
    ['orcamento', 'aceite'],
    ['presupuesto', 'firmar'],
    ['angebot', 'genehmigen'],
    ['devis', 'signer'],
    ['teklif', 'onayla'],
  ])
    it(`knows ${word} as a quotation and ${verb} as its acceptance`, async () => {
      put('schema.sql', quotes)
      app(
        `post('/portal/${word}/:token/${verb}', (req, res) => res.json(save({ status: 1 })))`,
        "get('/users', requireUser, (req, res) => res.end())",
      )
      const { B4, C2 } = await answers()
      expect([B4.status, C2.status]).to.deep.equal(['implemented', 'implemented'])
    })

  for (const kind of ['ESTIMATE', 'sales_quote', 'orcamento', 'devis', 'angebot', 'teklif'])
    it(`finds quotations among the invoices where a type is ${kind}`, async () => {
      put(
        'schema.sql',
        `create table invoices (id int, client_id int, number text, total numeric,
          tipo text check (tipo in ('INVOICE', '${kind}')));`,
      )
      expect((await places()).quotations).to.include({ table: 'invoices', note: 'among the invoices, by tipo' })
    })

  it('warns of amounts that may be cents', async () => {
    put(
      'schema.sql',
      'create table invoices (id int, client_id int, number text, total bigint, tax_id int, paid numeric);',
    )
    const { risks } = await audit({ source: root })
    expect(risks.find(it => it.title === 'Amounts are whole numbers')?.evidence).to.deep.equal([
      'invoices.total bigint',
    ])
  })

  it('takes a page to register on for no client area', async () => {
    put('schema.sql', 'create table customers (id int, name text, password text);')
    app(
      "get('/portal/me', requireCustomer, (req, res) => res.json(req.customer.id))",
      "get('/users', requireUser, (req, res) => res.end())",
    )
    put(
      'App.jsx',
      'import { Route } from \'react-router\'\nexport default () => <Route path="/customer/register" element={<Form />} />',
    )
    expect((await answers()).E1.status).to.equal('missing')
  })

  it('names no CRM, in any rule or list of words', () => {
    const here = join(import.meta.dirname, '..', '..')
    const systems =
      /dolibarr|suite ?crm|sugar ?crm|\bespo|invoice_?ninja|invoiceplane|fossbilling|perfex|vtiger|idurar|alga/i
    for (const file of globSync('audit/**/*.ts', { cwd: here }))
      expect(readFileSync(join(here, file), 'utf8'), file).not.to.match(systems)
  })
})
