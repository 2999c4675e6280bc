import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { map } from '../demo/adapter/map.ts'
import { documentsContract } from '../plugins/documents/contract.ts'
import { invoicesContract } from '../plugins/invoices/contract.ts'
import { paymentsContract } from '../plugins/payments/contract.ts'
import { proposalsContract } from '../plugins/proposals/contract.ts'
import { quotationsContract } from '../plugins/quotations/contract.ts'
import { tasksContract } from '../plugins/tasks/contract.ts'
import { everyPage } from '../src/crm/contract.ts'
import { adapterOf, type Crm, type CrmMap, type Customer, columnsOf, NotFound, problemsOf } from '../src/index.ts'
import { root } from '../src/platform/root.ts'
import { actors } from './actors.ts'
import { close, fresh, postgres, today, urlOf } from './database.ts'
import kite from './kite/crm.map.ts'
import { leave } from './visit.ts'

describe('the demo CRM by a map', () => {
  afterEach(leave)

  const mapped = () => actors(database => adapterOf(map, database))
  documentsContract(mapped)
  invoicesContract(mapped)
  paymentsContract(mapped)
  proposalsContract(mapped)
  quotationsContract(mapped)
  tasksContract(mapped)

  it('reads nothing that the adapter written by hand does not read', async () => {
    const { byHand } = await import('../demo/adapter/adapter.ts')
    const hand = columnsOf(byHand(undefined as never).reads!)
    for (const [table, columns] of Object.entries(columnsOf(adapterOf(map, undefined as never).reads!)))
      expect(hand[table], table).to.include.members(columns)
  })
})

describe('the clients of documents, by a map', () => {
  it('are found by number or title, of their workspace alone, as by the adapter written by hand', async () => {
    const copy = await fresh()
    const { byHand } = await import('../demo/adapter/adapter.ts')
    const [mine, theirs] = [adapterOf(map, copy.database), byHand(copy.database)]
    const ask = async (crm: Crm, workspace: string, words: string) =>
      (await crm.directory.clientsOfDocuments!((await crm.directory.workspace(workspace))!, words)).sort()
    const acme = await copy.owner('clients').where({ company_name: 'Acme Bakery' }).first('id')
    for (const words of ['P-2026-031', 'p-2026-031', '2026-0107', 'winter campaign', 'e', '%', '_', "'", ''])
      for (const workspace of ['brightside', 'harbor'])
        expect((await ask(mine, workspace, words)).length, words).to.equal((await ask(theirs, workspace, words)).length)
    expect(await ask(mine, 'brightside', 'winter campaign')).to.deep.equal([String(acme.id)])
    expect(await ask(mine, 'harbor', 'winter campaign')).to.be.empty
    await close(copy)
  })
})

describe('a small CRM by a map', () => {
  let owner: Knex
  let crm: Crm
  const customer = (client: string, workspace = 'kite'): Customer => ({
    workspace: { id: workspace, slug: workspace, name: '', letterhead: [], timeZone: 'Europe/Amsterdam' },
    client: { id: client, name: '' },
    person: { id: '', name: '', email: '' },
    role: 'admin',
    today,
  })
  const invoicesOf = (client: string, its = crm) => its.connect(customer(client)).invoices!
  const all = (client: string, its = crm) => everyPage(invoicesOf(client, its), { sort: 'newest' })
  const change = async (sql: string, so: () => Promise<void>) => {
    await owner.raw(`create table kept as table billing_invoice; ${sql}`)
    await so()
    await owner.raw(
      `delete from billing_line where invoice_id not in (select id from kept);
       update billing_invoice i set customer_id = k.customer_id, status = k.status, issued_at = k.issued_at from kept k where k.id = i.id;
       drop table kept`,
    )
  }

  before(async () => {
    await postgres.raw('create database small')
    owner = knex({ client: 'pg', connection: urlOf('small'), pool: { min: 0, max: 4 } })
    await owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
    crm = adapterOf(kite, owner)
  })

  after(() => owner.destroy())

  const both = async () => ({ crm, mine: customer('1'), theirs: customer('2') })
  invoicesContract(both)
  paymentsContract(both)

  it('has its money in cents, exact, in the currency’s own decimals', async () => {
    const [one] = (await invoicesOf('1').list({ sort: 'amount', size: 100 })).items.slice(-1)
    expect(one).to.include({ number: 'K-101' })
    expect(one!.total).to.deep.equal({ amount: '121.00', currency: 'EUR' })
    await owner.raw(`update billing_invoice set currency = 'JPY' where number = 'K-101'`)
    const [yen] = (await invoicesOf('1').list({ sort: 'newest', search: 'K-101', size: 1 })).items
    expect(yen!.total).to.deep.equal({ amount: '12100', currency: 'JPY' })
    await owner.raw(`update billing_invoice set currency = 'EUR' where number = 'K-101'`)
  })

  it('has moments without time zone, which are told by the date at the workspace', async () => {
    const sent = async (timestamps: string) =>
      (await all('1', adapterOf({ ...kite, timestamps }, owner))).find(it => it.number === 'K-101')?.sentOn
    expect(await sent('Europe/Amsterdam')).to.equal('2025-07-05')
    expect(await sent('UTC')).to.equal('2025-07-06')
  })

  it('shows a status that nobody mapped as it stands, and counts it as nothing', async () => {
    await change(`update billing_invoice set status = 'DISPUTED' where number = 'K-104'`, async () => {
      const invoices = invoicesOf('1')
      const found = (await all('1')).find(it => it.number === 'K-104')
      expect(found).to.include({ status: 'other', word: 'DISPUTED' })
      for (const status of ['open', 'overdue', 'paid', 'cancelled'] as const)
        expect((await invoices.list({ sort: 'newest', status, size: 100 })).items.map(it => it.number)).to.not.include(
          'K-104',
        )
      expect(await invoices.find(found!.id)).to.include({ status: 'other', word: 'DISPUTED' })
    })
  })

  it('knows who has left, by the contact and by the client', async () => {
    const workspace = (await crm.directory.workspace('kite'))!
    const still = () => crm.directory.stillThere!(workspace, ['1', '2', 'nobody'])
    expect(await still()).to.have.members(['1', '2'])
    await owner.raw('update customers_contact set is_active = false where id = 1')
    expect(await still()).to.deep.equal(['2'])
    await owner.raw('update customers_customer set is_active = false where id = 2')
    expect(await still()).to.deep.equal([])
    await owner.raw('update customers_contact set is_active = true; update customers_customer set is_active = true')
  })

  it('shows a row without owner to nobody, one without date not yet, and a draft never', async () => {
    const before = await all('1')
    expect(before.map(it => it.number))
      .to.include('K-101')
      .and.not.include('K-107')
    await change(
      `update billing_invoice set customer_id = null where number = 'K-101'; update billing_invoice set issued_at = null where number = 'K-102'`,
      async () => {
        for (const client of ['1', '2', '', 'null'])
          for (const number of ['K-101', 'K-102', 'K-107'])
            expect((await all(client)).map(it => it.number)).to.not.include(number)
      },
    )
    expect(await all('1')).to.deep.equal(before)
  })

  it('takes ids of any type, and what is none of that type for the id of nothing', async () => {
    await owner.raw(`create table paper_invoices (code text primary key, who text, "when" date, sum float8);
      insert into paper_invoices values ('2026/1', 'A & B', '2026-01-01', 10.1), ('it''s; --', 'A & B', '2026-01-02', 0.1), ('x', 'b', '2026-01-03', 1)`)
    const its = adapterOf(
      {
        workspaces: kite.workspaces,
        clients: {
          query: 'select distinct who as id, who as name from paper_invoices',
          reads: { paper_invoices: ['who'] },
          name: 'name',
        },
        contacts: kite.contacts,
        invoices: {
          table: 'paper_invoices',
          id: 'code',
          client: 'who',
          number: 'code',
          sentOn: 'when',
          total: 'sum',
          currency: { value: 'EUR' },
        },
      },
      owner,
    )
    const found = await all('A & B', its)
    expect(found.map(it => it.id)).to.deep.equal([`it's; --`, '2026/1'])
    expect(found.map(it => it.total.amount)).to.deep.equal(['0.10', '10.10'])
    expect(await everyPage(its.connect(customer('A & B')).invoices!, { sort: 'newest' }, 1)).to.deep.equal(found)
    expect(await its.connect(customer('A & B')).invoices!.find(`it's; --`)).to.include({ number: `it's; --` })
    expect(await refusal(its.connect(customer('A & B')).invoices!.find('x'))).to.be.instanceOf(NotFound)
    for (const client of ['nonsense', '1.5', '-', '9'.repeat(40), '', '\0', `1' or true --`])
      expect(await all(client), client).to.be.empty
  })

  it('keeps apart two workspaces that share a client’s address of e-mail and its password', async () => {
    await owner.raw(`create table firms (id int primary key, short text, title text);
      create table people (id int primary key, firm int, mail text, secret text, title text);
      insert into firms values (1, 'north', 'North'), (2, 'south', 'South');
      insert into people select n, n, 'Same@Mail.example', (select password from customers_contact limit 1), 'Firm ' || n from generate_series(1, 2) n;
      create table bills (id int primary key, firm int, person int, no text, on_day date, sum numeric, cur text);
      insert into bills values (1, 1, 1, 'N-1', '2026-01-01', 5, 'eur'), (2, 2, 2, 'S-1', '2026-01-01', 7, 'eur'), (3, 2, 1, 'stray', '2026-01-01', 7, 'eur')`)
    const its = adapterOf(
      {
        workspaces: { table: 'firms', slug: 'short', name: 'title' },
        clients: { table: 'people', workspace: 'firm', name: 'title' },
        contacts: { table: 'people', client: 'id', name: 'title', email: 'mail' },
        invoices: {
          table: 'bills',
          client: 'person',
          workspace: 'firm',
          number: 'no',
          sentOn: 'on_day',
          total: 'sum',
          currency: 'cur',
        },
        identity: { table: 'people', workspace: 'firm', email: 'mail', password: 'secret' },
      },
      owner,
    )
    const [north, south] = [(await its.directory.workspace('north'))!, (await its.directory.workspace('south'))!]
    const verify = (workspace: typeof north, password: string) =>
      its.identity!.verify(workspace, 'same@mail.example', password)
    expect(await verify(north, 'a kite needs wind')).to.include({ id: '1' })
    expect(await verify(south, 'a kite needs wind')).to.include({ id: '2' })
    expect(await verify(south, 'a kite needs no wind')).to.equal(undefined)
    expect(await its.directory.client(south, '1')).to.equal(undefined)
    expect(await its.directory.contacts(south, '1')).to.deep.equal([])
    const of = async (workspace: string, client: string) =>
      (
        await its
          .connect({ ...customer(client), workspace: { ...north, id: workspace } })
          .invoices!.list({ sort: 'newest', size: 10 })
      ).items
    expect((await of('1', '1')).map(it => it.number)).to.deep.equal(['N-1'])
    expect((await of('2', '2')).map(it => it.total)).to.deep.equal([{ amount: '7.00', currency: 'EUR' }])
    expect(await of('1', '2')).to.deep.equal([])
  })

  it('takes names with quotes and signs in them for names, and constants for constants', async () => {
    const evil = `x"; drop table kites; --`
    await owner.raw(`create table kites (id int primary key); create schema "a""b"`)
    await owner.raw(
      `create table "a""b"."${evil.replaceAll('"', '""')}" (id int primary key, "o'w""n" int, "n\\o" text, d date, t numeric(10,2), "st$1" text)`,
    )
    await owner.raw(
      `insert into "a""b"."${evil.replaceAll('"', '""')}" values (1, 1, 'one', '2026-01-01', 5, 'it''s \\')`,
    )
    const its = adapterOf(
      {
        ...kite,
        invoices: {
          table: `a"b.${evil}`,
          client: `o'w"n`,
          number: [{ value: `'; drop table kites; --\\` }, 'n\\o'],
          sentOn: 'd',
          total: 't',
          currency: { value: 'EUR' },
          status: { column: 'st$1', words: { "it's \\": 'open' }, draft: [`'; drop table kites; --`] },
        },
        payments: undefined,
      },
      owner,
    )
    const [one] = await all('1', its)
    expect(one).to.include({ number: `'; drop table kites; --\\ one`, status: 'overdue' })
    expect(await owner.schema.hasTable('kites')).to.equal(true)
    expect(() => adapterOf({ ...kite, clients: { table: 'x', name: 'a\u0001client\u0002' } }, owner)).to.throw(
      'is no name',
    )
  })

  it('lists what is wrong with a map, by table and column, with suggestions', async () => {
    const wrong = async (more: object) =>
      (await problemsOf({ ...kite, ...more } as CrmMap, owner)).map(it => it.sentence)
    const { invoices } = kite
    expect(await wrong({})).to.deep.equal([])
    expect(await wrong({ invoices: { ...invoices, total: 'totl_cents' } })).to.deep.equal([
      'billing_invoice.totl_cents: no such column; did you mean total_cents?',
    ])
    expect(await wrong({ invoices: { ...invoices, table: 'biling_invoices' } })).to.deep.equal([
      'biling_invoices: no such table; did you mean billing_invoice?',
    ])
    expect(await wrong({ invoices: { ...invoices, client: 'customer_id > customers_customer.nam' } })).to.deep.equal([
      'customers_customer.nam: no such column; did you mean name?',
    ])
    expect(await wrong({ invoices: { ...invoices, sentOn: 'subject', total: 'number' } })).to.have.members([
      'billing_invoice.subject: is character varying(200), and cannot be a date',
      'billing_invoice.number: is character varying(30), and cannot be money',
    ])
    expect(await wrong({ clients: { query: 'select nothing from nowhere', reads: {}, name: 'x' } })).to.match(
      /refused: .*nowhere/,
    )
    expect(await wrong({ invoices: { ...invoices, statuss: {} }, contact: {} })).to.have.members([
      'invoices.statuss: no such entry; did you mean status?',
      'contact: no such entry; did you mean contacts?',
    ])
    expect(
      await wrong({
        invoices: { ...invoices, total: undefined, status: { column: 'status', words: { SENT: 'opened' } } },
      }),
    ).to.match(/invoices.total: is missing,.*|invoices.status.words.SENT: must be one of open, paid, cancelled/)
    expect(
      await wrong({ invoices: { ...invoices, client: 'customer_id > customers_customer' } }).catch(it => [it.message]),
    ).to.match(/is no path/)
  })
})

const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    error => error,
  )
