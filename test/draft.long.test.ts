import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import knex from 'knex'
import { z } from 'zod'
import { readSource } from '../audit/collectors/source.ts'
import { audit } from '../audit/index.ts'
import { judge } from '../audit/judgement/judge.ts'
import { noFacts } from '../audit/model.ts'
import { map } from '../demo/adapter/map.ts'
import algaPsa from '../docs/crms/alga-psa/crm.map.ts'
import dolibarr from '../docs/crms/dolibarr/crm.map.ts'
import odoo from '../docs/crms/odoo/crm.map.ts'
import { invoicesContract } from '../plugins/invoices/contract.ts'
import { paymentsContract } from '../plugins/payments/contract.ts'
import { proposalsContract } from '../plugins/proposals/contract.ts'
import { quotationsContract } from '../plugins/quotations/contract.ts'
import { audited, draftMap } from '../src/cli/audit.ts'
import { draft } from '../src/crm/mapping/draft.ts'
import { adapterOf, type CrmMap, problemsOf } from '../src/index.ts'
import { root } from '../src/platform/root.ts'
import { actors } from './actors.ts'
import { close, fresh, postgres, urlOf } from './database.ts'
import { edited } from './edited.ts'
import kite from './kite/crm.map.ts'
import { leave } from './visit.ts'

describe('the draft of a map', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-draft-'))
  let demo: { text: string; drafted: CrmMap }

  /** As `portico audit --map` writes it of a database. */
  async function draftOf(database: string, source?: string) {
    const its = mkdtempSync(join(folder, 'of-'))
    const file = join(its, 'crm.map.ts')
    const where = { out: join(its, 'AUDIT_REPORT.md'), json: join(its, 'audit.json'), map: file }
    const said = await audited({ database, source, ...where })
    expect(said).to.match(/Written: .*crm.map.ts, a draft; \d+ of its lines are to be looked at first\./)
    expect(await audited({ database, ...where }).catch(error => error.message)).to.include('is there already')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(`'portico'`, `'${root}/src/index.ts'`))
    return { text, drafted: (await import(file)).default as CrmMap }
  }

  before(async () => {
    const { name, ...copy } = await fresh('crm')
    demo = await draftOf(urlOf(name), join(root, 'demo/crm'))
    expect(await problemsOf(demo.drafted, copy.owner)).to.deep.equal([])
    await close({ name, ...copy })
  })

  afterEach(leave)
  after(() => rmSync(folder, { recursive: true }))

  it('says of each line how sure it is, and what else was considered', () => {
    const { text } = demo
    expect(text)
      .to.include(`sentOn: 'quoted_on', // 85 %; or created`)
      .and.include(`total: 'grand_total', // 95 %`)
      .and.include(`words: { sent: 'open', partial: 'open', paid: 'paid', void: 'cancelled' }, // 85 %`)
      .and.include(`deleted: 'left_on', // 65 %`)
      .and.include(`only: { state: ['issued'] }, // 85 %`)
      .and.include(`off: true, // 99 %`)
      .and.include(
        `accepted: { set: { state: { value: 'accepted' }, answered_on: 'time', answered_by: 'name' } }, // 60 %`,
      )
      .and.include(
        `declined: { set: { status: { value: 'rejected' }, decided_on: 'time', decided_by: 'name' } }, // 60 %`,
      )
    expect(text)
      .to.include(`// documents: {\n  //   table: 'documents',\n  //   client: 'client_id', // 95 %\n`)
      .and.include(`//   only: { shared: [true] }, // 65 %`)
      .and.include(`//   except: { about_type: ['proposal'] }, // 80 %: shown at their document`)
      .and.include(`//   under: …, // the whole path of the folder that the files are in`)
    const entries = text.split('\n').filter(it => /^\s+\w+: .*,/.test(it) && !/table: |todo\(/.test(it))
    for (const it of entries) expect(it).to.match(/\/\/ (\d\d %|not understood)/)
  })

  /** A draft of a CRM that is made by this SQL, as of one that nobody knows. */
  async function draftOfUnknown(sql: string): Promise<{ text: string; drafted: CrmMap; said: string[] }> {
    const name = `unknown_${++unknown}`
    await postgres.raw(`create database ${name}`)
    const owner = knex({ client: 'pg', connection: urlOf(name), pool: { min: 0, max: 2 } })
    await owner.raw(sql)
    const { json } = await audit({ database: urlOf(name) })
    const text = await draftMap(owner, json.data, { recognise: false })
    const file = join(folder, `${name}.map.ts`)
    writeFileSync(file, text.replace(`'portico'`, `'${root}/src/index.ts'`))
    const drafted = (await import(file)).default as CrmMap
    const said = (await problemsOf(drafted, owner)).map(it => it.sentence)
    await owner.destroy()
    return { text, drafted, said }
  }
  let unknown = 0

  it('never takes the tenant’s column for the owner, nor the key of a line for its document', async () => {
    const { drafted, said } = await draftOfUnknown(`
      create table tenants (tenant uuid primary key, company_name text not null);
      create table clients (tenant uuid references tenants, client_id uuid, client_name text, primary key (tenant, client_id), unique (client_id, tenant));
      create table contacts (tenant uuid references tenants, contact_id uuid, client_id uuid, full_name text, email text,
        primary key (tenant, contact_id), foreign key (client_id, tenant) references clients (client_id, tenant));
      create table invoices (tenant uuid references tenants, invoice_id uuid, company_id int, client_id uuid, invoice_number text,
        status text, invoice_date date, finalized_at timestamptz, due_date date, total_amount numeric(12,2), currency_code text,
        primary key (tenant, invoice_id), foreign key (client_id, tenant) references clients (client_id, tenant));
      create table invoice_items (tenant uuid references tenants, item_id uuid, product_id uuid, invoice_id uuid, description text,
        quantity numeric(10,2), unit_price numeric(12,2), net_amount numeric(12,2), primary key (tenant, item_id),
        foreign key (tenant, invoice_id) references invoices (tenant, invoice_id))`)
    expect(said).to.deep.equal([])
    expect(drafted.workspaces).to.include({ table: 'tenants', id: 'tenant' })
    expect(drafted.clients).to.include({ id: 'client_id', workspace: 'tenant' })
    expect(drafted.contacts).to.include({ client: 'client_id' })
    expect(drafted.invoices).to.include({ id: 'invoice_id', client: 'client_id', workspace: 'tenant' })
    expect(drafted.invoices!.except).to.deep.equal({ finalized_at: [null] })
    expect(drafted.invoices!.lines).to.include({ id: 'item_id', of: 'invoice_id' })
  })

  it('asks whose a document is where two columns lead to the clients or none, and is refused until it is told', async () => {
    const tables = (columns: string) => `
      create table companies (id int primary key, name text);
      create table clients (id int primary key, company_id int references companies, name text);
      create table contacts (id int primary key, client_id int references clients, name text, email text);
      create table invoices (id int primary key, company_id int references companies, ${columns}, number text, status text,
        issued_on date, due_on date, total numeric(12,2), currency text)`
    const two = await draftOfUnknown(tables('client_id int references clients, payer_id int references clients'))
    expect(two.text).to.include(`import { defineMap, todo } from 'portico'`)
    expect(two.said).to.deep.equal([
      'invoices.client: still a todo: client_id or payer_id: which of them says whose a row of invoices is?',
    ])
    expect(() => adapterOf(two.drafted, undefined as never)).to.throw(
      'invoices.client: still a todo: client_id or payer_id',
    )
    const none = await draftOfUnknown(tables('project_id int'))
    expect(none.said).to.deep.equal([
      'invoices.client: still a todo: no column of invoices leads to the clients: name one, or a path (a_id > others.client_id)',
    ])
    const one = await draftOfUnknown(tables('payer_id int references clients'))
    expect(one.said).to.deep.equal([])
    expect(one.drafted.invoices).to.include({ client: 'payer_id', workspace: 'company_id' })
  })

  it('asks whether whole numbers are cents, with the largest and a typical one, and which kinds are for clients', async () => {
    const { said, text } = await draftOfUnknown(`
      create table clients (id int primary key, name text);
      create table contacts (id int primary key, client_id int references clients, name text, email text);
      create table invoices (id int primary key, client_id int references clients, number text, doc_type text, issued_on date,
        entity int, due_on date, total bigint, currency text);
      insert into clients values (1, 'One');
      insert into invoices select n, 1, 'I-' || n, case when n > 3 then 'credit' else 'invoice' end, '2026-01-01', 1 + n % 2, '2026-02-01', n * 12100, 'EUR'
      from generate_series(1, 5) n`)
    expect(said).to.include.members([
      'invoices.inCents: still a todo: total is bigint: are these cents? Here the largest is 60500, a typical one 36300. Write true, or take this line out',
      'invoices.only: still a todo: doc_type is credit, invoice; entity is 1, 2: which are for clients? { doc_type: [...], entity: [...] }',
    ])
    expect(text).to.include(`only: { id: '1', slug: todo(`)
  })

  it('of Odoo and Dolibarr, as if nobody knew them, names the client or asks', async () => {
    for (const [name, owner] of [
      ['odoo', /^(partner_id|commercial_partner_id)$/],
      ['dolibarr', /^fk_soc$/],
    ] as const) {
      const { drafted, text } = await draftOfUnknown(readFileSync(join(root, `docs/crms/${name}/fixture.sql`), 'utf8'))
      for (const section of ['proposals', 'quotations', 'invoices'] as const) {
        const it = drafted[section]
        if (!it) continue
        if (typeof it.client === 'string') expect(it.client, `${name} ${section}`).to.match(owner)
        else expect(text).to.match(/ client: todo\('(partner_id|no column of)/)
        if (it.lines) expect(it.lines.of, `${name} ${section}`).to.not.equal(it.lines.id ?? 'id')
      }
    }
  })

  it('has the sections of plugins that say how they are found, with owners like any other', async () => {
    const columns = { title: [/^(title|subject)$/], text: [/^(text|body)$/] }
    const tickets = {
      name: 'tickets',
      mapping: { shape: z.any(), compile: () => () => ({}), draft: { entity: 'tickets', columns } },
    }
    const table = (names: string[]) => new Map(names.map(name => [name, { type: 'text', readable: true }]))
    const catalogue = { tables: new Map([['public.cases', table(['id', 'customer', 'subject'])]]), queries: new Map() }
    const data = { tickets: { table: 'cases', id: 'id', client: 'customer' } }
    const samples = { valuesOf: async () => [], amountsOf: async () => undefined }
    expect(await draft(data, catalogue, samples, { plugins: [tickets] })).to.include(
      `  tickets: {
    table: 'cases',
    client: 'customer', // 95 %
    title: 'subject', // 85 %
    text: todo('nothing was found that could be it'),
  },`,
    )
  })

  it('of every small CRM of the audit’s, out of its source, has an owner by a key or a question', async () => {
    const crms = join(root, 'test/audit/crms')
    for (const family of readdirSync(crms)) {
      const { tables } = await readSource(join(crms, family), () => {})
      const { data } = judge({ ...noFacts(), tables })
      const catalogue = {
        tables: new Map(
          tables.map(it => [
            `public.${it.name}`,
            new Map(it.columns.map(one => [one.name, { type: 'text', readable: true }])),
          ]),
        ),
        queries: new Map(),
      }
      const text = await draft(data, catalogue, { valuesOf: async () => [], amountsOf: async () => undefined })
      for (const place of [data.proposals, data.quotations, data.invoices, data.contacts]) {
        if (!place.table) continue
        expect(place.client, `${family} ${place.table}`).to.not.equal(place.tenant ?? 'none')
        if (place.clientColumns)
          expect(text, family).to.include(`client: todo('${place.clientColumns.join(' or ')}: which`)
      }
      const drafts = [
        ...text.matchAll(/ {4}table: '(.+)',\n(?: {4}id: '(.+?)'.*\n)?(?: {4}deleted.*\n)? {4}client: (.*)/g),
      ]
      for (const [, table, , client] of drafts) {
        const place = Object.values(data).find(it => it.table === table)!
        expect(client, `${family} ${table}`).to.match(/^todo\(|^'/)
        expect(client!.startsWith(`'${place.tenant}'`), `${family} ${table}: ${client}`).to.equal(false)
      }
      for (const lines of [data.proposal_lines, data.quotation_lines, data.invoice_lines])
        if (lines.table && lines.parent) expect(lines.parent, family).to.not.equal(lines.id)
    }
  })

  it('needs at most ten lines to be edited', async () => {
    // Shared documents stand in the draft as a comment: which rows clients may see is never guessed.
    const counts: Record<string, number> = {
      demo: edited(demo.drafted, map).filter(it => !it.startsWith('documents:')).length,
    }
    for (const [name, kept, sql] of [
      ['kite', kite, 'test/kite/crm.sql'],
      ['odoo', odoo, 'docs/crms/odoo/fixture.sql'],
      ['dolibarr', dolibarr, 'docs/crms/dolibarr/fixture.sql'],
      ['alga_psa', algaPsa, 'docs/crms/alga-psa/fixture.sql'],
    ] as const) {
      await postgres.raw(`create database draft_${name}`)
      const owner = knex({ client: 'pg', connection: urlOf(`draft_${name}`), pool: { min: 0, max: 2 } })
      await owner.raw(readFileSync(join(root, sql), 'utf8'))
      const { drafted, text } = await draftOf(urlOf(`draft_${name}`))
      counts[name] = edited(drafted, kept).length
      if (name === 'odoo') expect(text).to.include('This is Odoo 19, whose map is kept.').and.include(`from 'portico'`)
      await owner.destroy()
    }
    for (const [name, count] of Object.entries(counts)) expect(count, name).to.be.at.most(10)
    // Of CRMs that are known the map itself is the draft.
    expect(counts).to.include({ odoo: 0, dolibarr: 0, alga_psa: 0 })
  })

  const mapped = () => actors(database => adapterOf(demo.drafted, database))
  invoicesContract(mapped)
  paymentsContract(mapped)
  proposalsContract(mapped)
  quotationsContract(mapped)
})
