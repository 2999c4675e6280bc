import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { audit } from '../../audit/index.ts'
import people from '../../demo/people.json' with { type: 'json' }
import { type Copy, close, fresh, urlOf } from '../database.ts'
import { fingerprint } from '../fingerprint.ts'
import { auditDemo, reportFile } from './demo.ts'

describe('audit report', () => {
  let crm: Copy
  before(async () => {
    crm = await fresh('crm')
  })
  after(() => close(crm))

  it('of the demo CRM equals AUDIT_REPORT.md, which `npm run audit:demo` writes', async () => {
    const { report } = await auditDemo(urlOf(crm.name))
    expect(report).to.equal(readFileSync(reportFile, 'utf8'))
  })

  it('is the same on each run, contains no personal data and changes no row', async () => {
    const before = await fingerprint(crm.owner)
    const one = await auditDemo(urlOf(crm.name))
    const two = await auditDemo(urlOf(crm.name))
    expect(two.report).to.equal(one.report)
    expect(await fingerprint(crm.owner)).to.deep.equal(before)

    const { rows } = await crm.owner.raw(`
      select email as value from contacts union select last_name from contacts union select company_name from clients
      union select iban from workspaces where iban is not null union select phone from staff where phone is not null`)
    const values: string[] = [...rows.map((it: { value: string }) => it.value), ...people.map(it => it.email)]
    const said = one.report + JSON.stringify(one.json)
    expect(values.filter(it => it && new RegExp(`\\b${RegExp.escape(it)}\\b`).test(said))).to.deep.equal([])
  })

  it("lists the tables that Portico's migrations create, and changes its fingerprint when a column is renamed", async () => {
    const { json } = await auditDemo(urlOf(crm.name))
    expect(json.tables.create.map(it => it.table)).to.include.members([
      'portal.client_users',
      'portal.client_activity_logs',
    ])
    expect(json.tables.create[0]!.ddl)
      .to.include('create table portal.client_users (')
      .and.include('create policy workspace')
    expect(json.tables.leaveOut).to.deep.equal([])

    const drifted = await fresh('crm')
    await drifted.owner.raw('alter table invoices rename column due_on to pay_by')
    const other = await auditDemo(urlOf(drifted.name))
    await close(drifted)
    expect(other.json.fingerprint).not.to.equal(json.fingerprint)
  })

  it('names the risks of a CRM with missing keys, float amounts and repeatable numbers', async () => {
    const risky = await fresh('crm')
    await risky.owner.raw(`
      alter table invoices drop constraint invoices_client_id_fkey;
      alter table invoices drop constraint invoices_workspace_id_ref_no_key;
      alter table payments alter column amount type double precision`)
    const { risks } = await auditDemo(urlOf(risky.name))
    await close(risky)
    const titles = risks.map(it => it.title).join('\n')
    expect(titles).to.include('No enforced key from documents to clients')
    expect(titles).to.include('floating-point')
    expect(titles).to.include('Nothing keeps a document number')
  })

  it('names as secrets and as changing GET requests only what is one', async () => {
    const tree = mkdtempSync(join(tmpdir(), 'portico-risks-'))
    writeFileSync(
      join(tree, 'app.js'),
      `const app = require('express')()
       const quote = req => db('quotes').where({ token: req.params.token })
       app.get('/public/quotes/:token/approve', async (req, res) => {
         await db('quotes').where({ token: req.params.token }).update({ status: 'accepted' }); res.end() })
       app.get('/public/quotes/:token/sign/pdf', async (req, res) => {
         await db('quotes').where({ token: req.params.token }).update({ printed_at: new Date() }); res.end() })
       app.get('/public/quotes/:token/signup', async (req, res) => {
         await db('quotes').where({ token: req.params.token }).update({ seen_at: new Date() }); res.end() })
       app.post('/public/quotes/login', async (req, res) => {
         res.json(await db('quotes').where({ access_token: req.body.token }).first()) })`,
    )
    writeFileSync(
      join(tree, 'a.sql'),
      'create table clients (id int, name text); create table quotes (id int, token text, status text, client_id int);',
    )
    const { risks } = await audit({ source: tree })
    rmSync(tree, { recursive: true })
    const of = (title: string) => risks.find(it => it.title.includes(title))?.evidence.map(it => it.split(' ')[1])
    expect(of('GET request')).to.deep.equal(['/public/quotes/:token/approve'])
    expect(of('Secrets in addresses')).to.deep.equal([
      '/public/quotes/:token/approve',
      '/public/quotes/:token/sign/pdf',
      '/public/quotes/:token/signup',
    ])
  })
})
