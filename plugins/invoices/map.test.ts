import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { adapterOf, type Crm, type CrmMap, type Customer } from '../../src/index.ts'
import { postgres, urlOf } from '../../test/database.ts'
import { invoicesContract } from './contract.ts'

/** A CRM that tells companies apart by an enumerated type, keeps cents, pays in parts, writes remainders off and has credit notes among its invoices. */
const tables = `
  create table clients (id int primary key, name text);
  create type company as enum ('1', '2');
  create table bills (id int primary key, company company not null default '1', client_id int, no text, state text, kind int default 0, sent date, due date,
    closed date, currency text default 'EUR', net bigint, total bigint);
  create table lines (id serial primary key, bill_id int, title text, qty numeric, unit_price bigint, net bigint);
  create table money (id serial primary key, client_id int, bill_id int, at date, amount bigint, currency text default 'EUR');
  create table credits (id serial primary key, client_id int, bill_id int, no text, at date, amount bigint, currency text default 'EUR');
  insert into clients values (1, 'Mine'), (2, 'Theirs');
  insert into bills (id, client_id, no, state, sent, due, closed, net, total) values
    (1, 1, 'open', 'open', '2026-01-01', '2026-02-01', null, 10000, 12000),
    (2, 1, 'early', 'paid', '2026-01-02', '2026-02-02', '2026-01-20', 10000, 12000),
    (3, 1, 'void', 'void', '2026-01-03', '2026-02-03', null, 10000, 12000),
    (4, 1, 'excess', 'open', '2026-01-04', '2026-02-04', null, 10000, 12000),
    (6, 1, 'credited', 'open', '2026-01-06', '2099-02-06', null, 10000, 12000),
    (7, 1, 'unknown', 'in dispute', '2026-01-07', '2026-02-07', null, 10000, 12000),
    (9, 2, 'theirs', 'open', '2026-01-07', '2026-02-07', null, 10000, 12000);
  insert into bills (id, client_id, no, state, kind, sent, due, net, total) values
    (5, 1, 'credit note', 'open', 1, '2026-01-05', '2026-01-05', -1000, -1200);
  insert into bills (id, client_id, no, state, kind, sent, due, net, total) values
    (10, 1, 'second part', 'open', 5, '2026-01-08', '2026-02-08', 6000, 7200);
  insert into bills (id, client_id, no, state, sent, due, currency, net, total) values
    (8, 1, 'yen', 'open', '2026-01-07', '2099-02-07', 'JPY', 5000, 5500),
    (11, 1, 'dinar', 'open', '2026-01-07', '2099-02-07', 'KWD', 12345, 12345);
  insert into lines (bill_id, title, qty, unit_price, net)
    select id, 'Work', 2, net / 2, net from bills where kind = 0 union all
    select id, 'Back', 1, net, net from bills where kind = 1 union all
    select id, 'All so far', 1, 10000, 10000 from bills where kind = 5;
  insert into money (client_id, bill_id, at, amount) values
    (1, 2, '2026-01-19', 11640), (1, 4, '2026-01-21', 13500), (1, 6, '2026-01-22', 2000);
  insert into credits (client_id, bill_id, no, at, amount) values (1, 6, 'C1', '2026-01-23', 500), (1, null, 'C2', '2026-01-24', 800), (2, null, 'C3', '2026-01-24', 900);`

const cents = { currency: 'currency', inCents: true }
const map: CrmMap = {
  workspaces: { only: { id: '1', slug: 'x', name: 'X' } },
  clients: { table: 'clients', name: 'name' },
  contacts: { table: 'clients', client: 'id', name: 'name', email: 'name' },
  invoices: {
    table: 'bills',
    client: 'client_id',
    workspace: 'company',
    ...cents,
    status: { column: 'state', words: { open: 'open', paid: 'paid', void: 'cancelled' } },
    number: 'no',
    sentOn: 'sent',
    dueOn: 'due',
    closedOn: 'closed',
    net: 'net',
    total: 'total',
    balance: 'payments',
    cumulative: { kind: [5] },
    lines: {
      table: 'lines',
      of: 'bill_id',
      order: 'id',
      title: 'title',
      quantity: 'qty',
      price: 'unit_price',
      total: 'net',
    },
    creditNotes: { table: 'credits', invoice: 'bill_id', number: 'no', on: 'at', total: 'amount' },
    credit: { table: 'credits', client: 'client_id', ...cents, amount: 'amount', only: { bill_id: [null] } },
  },
  payments: { table: 'money', client: 'client_id', ...cents, on: 'at', amount: 'amount', invoice: 'bill_id' },
}

const customer = (id: string): Customer => ({
  workspace: { id: '1', slug: 'x', name: 'X', letterhead: [], timeZone: 'UTC' },
  client: { id, name: '' },
  person: { id: '', name: '', email: '' },
  role: 'admin',
  today: '2026-11-22',
})

describe('invoices of a map', () => {
  let database: Knex
  let crm: Crm
  const mine = () => crm.connect(customer('1')).invoices!
  const one = async (no: string) => {
    const { items } = await mine().list({ sort: 'newest', search: no, size: 1 })
    return mine().find(items[0]!.id)
  }

  before(async () => {
    await postgres.raw('create database crm_money')
    database = knex({ client: 'pg', connection: urlOf('crm_money'), pool: { min: 0, max: 2 } })
    await database.raw(tables)
    crm = adapterOf(map, database)
  })
  after(() => database.destroy())

  invoicesContract(async () => ({ crm, mine: customer('1'), theirs: customer('2') }))

  it('leaves nothing to pay of what the CRM calls paid, cancelled, or by a word of its own', async () => {
    for (const [no, status] of [
      ['early', 'paid'],
      ['void', 'cancelled'],
      ['unknown', 'other'],
    ] as const)
      expect(await one(no)).to.deep.include({ status, balance: { amount: '0.00', currency: 'EUR' } })
  })

  it('says what settled an invoice besides its payments', async () => {
    expect((await one('early')).adjustment).to.deep.equal({ amount: '3.60', currency: 'EUR' })
    expect((await one('open')).adjustment).to.equal(null)
    const [statement] = await mine().statement('2026-01-01', '2026-11-22')
    const written = statement!.entries.filter(it => it.kind === 'adjustment' && it.number === 'early')
    expect(written).to.have.length(1)
    expect(written[0]).to.deep.include({ on: '2026-01-20', amount: { amount: '-3.60', currency: 'EUR' } })
  })

  it('takes excess payments and open credit notes off what is due, and calls neither to pay', async () => {
    expect(await one('excess')).to.deep.include({ status: 'paid', balance: { amount: '-15.00', currency: 'EUR' } })
    expect(await one('credit note')).to.deep.include({ status: 'paid', balance: { amount: '-12.00', currency: 'EUR' } })
    const { due, overdue, counts, credit } = await mine().overview()
    expect(due).to.deep.include({ amount: '260.00', currency: 'EUR' })
    expect(overdue).to.deep.equal([{ amount: '192.00', currency: 'EUR' }])
    expect(counts).to.deep.equal({ all: 10, open: 5, overdue: 2, paid: 3 })
    expect(credit).to.deep.equal([{ amount: '8.00', currency: 'EUR' }])
  })

  it('divides prices like totals, by the digits of the currency', async () => {
    const [line] = (await one('open')).lines
    expect(line).to.deep.include({
      price: { amount: '50', currency: 'EUR' },
      total: { amount: '100.00', currency: 'EUR' },
    })
    expect((await one('yen')).lines[0]).to.deep.include({
      price: { amount: '2500', currency: 'JPY' },
      total: { amount: '5000', currency: 'JPY' },
    })
    expect((await one('dinar')).total).to.deep.equal({ amount: '12.345', currency: 'KWD' })
  })

  it('tells apart what was invoiced before where lines tell all of the work', async () => {
    const { sums } = await one('second part')
    expect(sums).to.deep.include({ discount: null, previous: { amount: '40.00', currency: 'EUR' } })
  })
})
