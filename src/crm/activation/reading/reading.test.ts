import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import knex, { type Knex } from 'knex'
import { postgres, urlOf } from '../../../../test/database.ts'
import { freePort } from '../../../../test/free-port.ts'
import kite from '../../../../test/kite/crm.map.ts'
import { root } from '../../../platform/root.ts'
import { problemsOf } from '../../mapping/adapter.ts'
import type { CrmMap } from '../../mapping/map.ts'
import { formatChecks } from '../checks.ts'
import { checkApi } from './api.ts'
import { checkReading } from './reading.ts'

const connect = (url: string) => knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } })

/** What the doctor says, and whether all of it has a tick. */
async function read(map: CrmMap, database: Knex) {
  expect(await problemsOf(map, database)).to.deep.equal([])
  const checks = await checkReading(map, database)
  return { text: formatChecks(checks), good: checks.every(it => !it.problems.length) }
}

describe('a map read on real rows', function () {
  this.timeout(60_000)
  let owner: Knex
  const invoices = kite.invoices!

  before(async () => {
    await postgres.raw('create database reading')
    owner = connect(urlOf('reading'))
    await owner.raw(readFileSync(join(root, 'test/kite/crm.sql'), 'utf8'))
  })
  after(() => owner.destroy())

  /** On a copy of the database that is changed for it. */
  async function whileSo(sql: string, map: CrmMap) {
    const copy = `reading_${++copies}`
    await owner.destroy()
    await postgres.raw(`create database ${copy} template reading strategy file_copy`)
    owner = connect(urlOf('reading'))
    const changed = connect(urlOf(copy))
    await changed.raw(sql)
    const said = await read(map, changed)
    await changed.destroy()
    return said
  }
  let copies = 0

  it('has a tick for everything where all is right, and says how much was compared', async () => {
    const { text, good } = await read(kite, owner)
    expect(good, text).to.equal(true)
    expect(text)
      .to.include('✓ workspaces and clients are found: 1 workspace, 2 clients to ask as')
      .and.include('✓ clients see only what is theirs: 2 clients of 1 workspace see 27 invoices, 6 payments')
      .and.match(/✓ every question is answered on real rows: \d\d questions as 2 clients/)
      .and.not.include('note:')
  })

  it('changes nothing in the CRM', async () => {
    const counted = () => owner.raw('select sum(xmin::text::bigint) from billing_invoice')
    const before = (await counted()).rows
    const responses = { accepted: { set: { status: { value: 'PAID' } } } }
    const { balance, dueOn, ...offers } = { ...invoices, responses }
    const status = {
      column: 'status',
      words: { SENT: 'open' as const, PAID: 'accepted' as const },
      draft: ['DRAFT', 'VOID'],
    }
    const { text, good } = await read({ ...kite, proposals: { ...offers, status } as CrmMap['proposals'] }, owner)
    expect(good, text).to.equal(true)
    expect((await counted()).rows).to.deep.equal(before)
  })

  it('finds nothing good in the tenant’s column as the owner, with a key declared or without', async () => {
    const sql = `create table firms (id int primary key, short text, title text);
      create table people (id int primary key, firm int, title text, mail text);
      insert into firms values (1, 'north', 'North'), (2, 'south', 'South');
      insert into people select n, 1 + n % 2, 'Client ' || n, 'a@b.example' from generate_series(1, 6) n;
      create table bills (id int primary key, firm int, person int, no text, day date, sum numeric(12,2));
      insert into bills select n, 1 + n % 2, 1 + n % 6, 'B-' || n, '2026-01-01', n from generate_series(1, 18) n;`
    const map = (client: string): CrmMap => ({
      workspaces: { table: 'firms', slug: 'short', name: 'title' },
      clients: { table: 'people', workspace: 'firm', name: 'title' },
      contacts: { table: 'people', client: 'id', name: 'title', email: 'mail' },
      invoices: { table: 'bills', client, number: 'no', sentOn: 'day', total: 'sum', currency: { value: 'EUR' } },
    })
    expect((await whileSo(sql, map('firm'))).text).to.include(
      '✗ keys and paths lead to one row each\n    invoices.client: firm is the workspace’s column: every client would see what all have',
    )
    const declared = `${sql}; alter table bills add foreign key (firm) references firms`
    expect((await whileSo(declared, map('firm'))).text).to.include(
      'invoices.client: firm leads to firms, and clients are people',
    )
    const strange = `${sql}; update bills set person = person + 1000 where id > 4`
    expect((await whileSo(strange, map('person'))).text).to.include(
      'invoices.client: person of 14 out of 18 is no client',
    )
    const right = await whileSo(sql, map('person'))
    expect(right.good, right.text).to.equal(true)
    expect(right.text).to.include('6 clients of 2 workspaces see 18 invoices')
  })

  it('finds documents that two clients see, where keys are of two columns, and takes a key made of both', async () => {
    const sql = `create table firms (id int primary key, short text);
      insert into firms values (1, 'north'), (2, 'south');
      create table buyers (firm int, no int, title text, mail text, primary key (firm, no));
      insert into buyers select f, n, repeat('é', 300), 'a@b.example' from generate_series(1, 2) f, generate_series(1, 2) n;
      create table bills (firm int, no int, buyer int, day date, sum numeric(12,2), primary key (firm, no),
                          foreign key (firm, buyer) references buyers);
      insert into bills select f, n, 1 + n % 2, '2026-01-01', f * 100 + n from generate_series(1, 2) f, generate_series(1, 4) n`
    const bills = { sentOn: 'day', total: 'sum', number: 'no', currency: { value: 'EUR' } }
    const workspaces = { table: 'firms', slug: 'short', name: 'short' }
    const naive: CrmMap = {
      workspaces,
      clients: { table: 'buyers', id: 'no', workspace: 'firm', name: 'title' },
      contacts: { table: 'buyers', id: 'no', client: 'no', name: 'title', email: 'mail' },
      invoices: { table: 'bills', id: 'no', client: 'buyer', ...bills },
    }
    const wrong = await whileSo(sql, naive)
    expect(wrong.text)
      .to.include('clients: no is not a key: 2 rows have 1')
      .and.include('invoices: no is not a key: 2 rows have ')
      .and.match(/invoices: 4 are shown to two clients, such as \d to client \d of north and to client \d of south/)

    const reads = { buyers: ['firm', 'no', 'title', 'mail'] }
    const query = `select firm || '-' || no as id, firm, title, mail from buyers`
    const right = await whileSo(sql, {
      workspaces,
      clients: { query, reads, workspace: 'firm', name: 'title' },
      contacts: { query, reads, client: 'id', name: 'title', email: 'mail' },
      invoices: {
        query: `select firm || '-' || no as id, firm || '-' || buyer as buyer, no, day, sum from bills`,
        reads: { bills: ['firm', 'no', 'buyer', 'day', 'sum'] },
        client: 'buyer',
        ...bills,
      },
    })
    expect(right.good, right.text).to.equal(true)
    expect(right.text).to.include('4 clients of 2 workspaces see 8 invoices')
  })

  it('counts what nobody sees, or sees as it stands: no owner, an unlisted status, a date of the year one', async () => {
    const { text, good } = await whileSo(
      `update billing_invoice set customer_id = null where number in ('K-101', 'K-102');
       update billing_invoice set status = 'DISPUTED' where number in ('K-103', 'K-104', 'K-105');
       update billing_invoice set due_date = '0001-01-01' where number = 'K-106'`,
      kite,
    )
    expect(good, text).to.equal(false)
    expect(text)
      .to.include('note: invoices: 2 have no client (customer_id) and are shown to nobody')
      .and.include(
        '✗ the values of the rows are what the map says\n    invoices.status: `words` does not list "DISPUTED" (3)',
      )
      .and.include('note: invoices.dueOn: 1 have 0001-01-01: if that is how the CRM writes none')
  })

  it('counts clients of no workspace', async () => {
    const sql = `create table firms (id uuid primary key, short text);
      insert into firms values ('00000000-0000-4000-8000-000000000001', 'north');
      alter table customers_customer add firm uuid references firms;
      update customers_customer set firm = '00000000-0000-4000-8000-000000000001' where id = 1`
    const workspaces = { table: 'firms', slug: 'short', name: 'short' }
    const { text } = await whileSo(sql, { ...kite, workspaces, clients: { ...kite.clients, workspace: 'firm' } })
    expect(text)
      .to.include('note: clients: 1 have no workspace (firm) and are shown to nobody')
      .and.include('note: only one client was found: there was nobody to compare with')
  })

  it('has a cross for a date that is no day, a time zone that is none and a currency that is none', async () => {
    const endless = await whileSo(`update billing_invoice set due_date = 'infinity' where number = 'K-101'`, kite)
    expect(endless.text)
      .to.include('invoices.dueOn: 1 have infinity, which is no day')
      .and.match(/invoices: .* fails on real rows: /)
    const sql = `create table firms (id text primary key, zone text); insert into firms values ('kite', 'Mars/Base')`
    const workspaces = { table: 'firms', slug: 'id', name: 'id', timeZone: 'zone' }
    expect((await whileSo(sql, { ...kite, workspaces })).text).to.include(
      'invoices: the list in the order urgent fails on real rows: time zone "Mars/Base" not recognized',
    )
    expect((await whileSo(`update billing_invoice set currency = '€'`, kite)).text).to.match(
      /invoices: the list in the order urgent fails on real rows: its answer has no good \S*currency/,
    )
  })

  it('has a cross for a path that leads to several rows, and none where they have one owner', async () => {
    const people = `insert into customers_contact (customer_id, full_name, email, password) select 1, 'Also', 'also@b.example', ''`
    const remarks = 'customer_id > customers_contact(customer_id).full_name'
    expect((await whileSo(people, { ...kite, invoices: { ...invoices, remarks } })).text)
      .to.include(`the path ${remarks} leads to several rows: of customers_contact.customer_id 2 rows have 1`)
      .and.include('invoices: one invoice fails on real rows: a path leads to several rows')

    const shares = `create table shares (payment_id bigint, invoice_id uuid);
      insert into shares select id, invoice_id from billing_payment;
      insert into shares select 1, id from billing_invoice where customer_id = 1 limit 3`
    const client = 'id > shares(payment_id).invoice_id > billing_invoice.customer_id'
    const payments = { ...kite.payments!, client }
    const one = await whileSo(shares, { ...kite, payments })
    expect(one.good, one.text).to.equal(true)
    const several = `${shares}; insert into shares select 1, id from billing_invoice where customer_id = 2 limit 1`
    expect((await whileSo(several, { ...kite, payments })).text).to.include(
      'payments: 1 belong to several clients, as 1 to 1 and 2',
    )
  })

  it('has a cross for lines that lead to themselves, or to another table', async () => {
    const lines = { ...invoices.lines!, of: 'id' }
    expect((await read({ ...kite, invoices: { ...invoices, lines } }, owner)).text).to.include(
      'invoices.lines.of: id is the key of the row itself, and leads to no document',
    )
    const other = { ...invoices.lines!, table: 'customers_contact', of: 'customer_id', order: 'id', title: 'email' }
    expect(
      (
        await read(
          {
            ...kite,
            invoices: {
              ...invoices,
              lines: { ...other, quantity: undefined, price: undefined, tax: undefined, total: 'id' },
            },
          },
          owner,
        )
      ).text,
    ).to.include('invoices.lines.of: customer_id leads to customers_customer, and not to billing_invoice')
  })

  it('has a cross where no workspace or no client is found', async () => {
    const workspaces = { table: 'auth_user', slug: 'first_name', name: 'first_name', only: { email: ['none'] } }
    const none = await read({ ...kite, workspaces }, owner)
    expect(none.text).to.include('✗ workspaces and clients are found: 0 workspaces')
    expect(none.text).to.include('workspaces: none is found with these `only`, `except` and `deleted`')
    const gone = await whileSo('update customers_customer set is_active = false', kite)
    expect(gone.text).to.include('clients: none is found in 1 workspace with these `only`, `except` and `deleted`')
  })

  it('has a cross for row-level security of the CRM that does not let the portal’s role in', async () => {
    await owner.raw(`create role looker login password 'only-in-tests'`)
    await owner.raw('grant usage on schema public to looker; grant select on all tables in schema public to looker')
    await owner.raw('alter table customers_customer enable row level security')
    const looker = connect(
      Object.assign(new URL(urlOf('reading')), { username: 'looker', password: 'only-in-tests' }).href,
    )
    const hidden = await read(kite, looker)
    expect(hidden.text)
      .to.include('✗ row-level security of the CRM lets the portal’s role read')
      .and.include('public.customers_customer has row-level security, and the portal’s role is not let in')
      .and.include('✗ workspaces and clients are found: 1 workspace, 0 clients')
    await owner.raw('create policy some_rows on customers_customer for select to looker using (id = 1)')
    expect((await read(kite, looker)).text).to.include(
      'note: public.customers_customer has row-level security: the portal sees only the rows that its policies show it',
    )
    await looker.destroy()
    await owner.raw(
      'drop policy some_rows on customers_customer; alter table customers_customer disable row level security',
    )
    await owner.raw('drop owned by looker; drop role looker')
  })

  it('refuses amounts kept as text, and a status number as `deleted`, with a sentence for each', async () => {
    await owner.raw(
      'create table odd (id int primary key, customer_id int, no text, day date, sum text, state smallint)',
    )
    const odd = { table: 'odd', client: 'customer_id', number: 'no', sentOn: 'day', total: 'sum' }
    const said = await problemsOf(
      {
        ...kite,
        invoices: { ...odd, currency: { value: 'EUR' }, deleted: { column: 'state', when: false } },
        payments: undefined,
      },
      owner,
    )
    expect(said.map(it => it.sentence)).to.have.members([
      'odd.sum: is text, and cannot be money',
      'odd.state: is smallint, and cannot be true or false: name its values in `only` or `except`',
    ])
  })
})

describe('the CRM’s API', () => {
  let server: Server
  let origin: string
  let asked: string[]

  before(async () => {
    server = createServer((req, res) => {
      asked.push(`${req.method} ${req.url}`)
      const status = req.headers.key !== 'right' ? 401 : req.url?.startsWith('/api/') ? 200 : 404
      res.writeHead(status).end('{}')
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    asked = []
    process.env.TEST_CRM_KEY = 'right'
  })
  afterEach(() => {
    delete process.env.TEST_CRM_KEY
  })
  after(() => server.close())

  const mapWith = (url: string, more: object = {}, off?: boolean) =>
    ({
      ...kite,
      proposals: { responses: { off, accepted: { call: { url, headers: { key: '{env TEST_CRM_KEY}' }, ...more } } } },
    }) as unknown as CrmMap
  const said = async (url: string, more?: object) => formatChecks([await checkApi(mapWith(url, more))])

  it('is asked by GET alone, at the beginning of the address, and never told anything', async () => {
    expect(await said(`${origin}/api/proposals/{id}/close`)).to.equal('✓ the CRM’s API answers and takes the key')
    expect(await said(`${origin}/api/close`)).to.equal('✓ the CRM’s API answers and takes the key')
    expect(asked).to.deep.equal(['GET /api/proposals/', 'GET /api/'])
  })

  it('gets a cross where it refuses the key, does not answer, or the environment is not set', async () => {
    process.env.TEST_CRM_KEY = 'wrong'
    expect(await said(`${origin}/api/proposals/{id}/close`)).to.include(
      `proposals.responses: the CRM refuses the key (401 to GET ${origin}/api/proposals/): correct it`,
    )
    expect(await said(`http://127.0.0.1:${await freePort()}/api/{id}`)).to.match(
      /✗ .*\n.*http:\/\/127.0.0.1:\d+ does not answer \(ECONNREFUSED\)/,
    )
    delete process.env.TEST_CRM_KEY
    expect(await said(`${origin}/api/{id}`)).to.include('proposals.responses: {env TEST_CRM_KEY} is not set')
  })

  it('is asked at the address that the map names, and says where the key was not seen to be right', async () => {
    expect(await said(`${origin}/other/{id}`)).to.match(/✓ .*\n {4}note: .*404 .*name an address in `check`/)
    expect(await said(`${origin}/other/{id}`, { check: `${origin}/api/status` })).to.equal(
      '✓ the CRM’s API answers and takes the key',
    )
    expect(await said(`${origin}/api/{id}`, { check: `${origin}/gone` })).to.include('correct `check`')
    expect(asked).to.include('GET /api/status')
  })

  it('is not asked while responses are off', async () => {
    expect(formatChecks([await checkApi(mapWith(origin, {}, true))])).to.equal('✓ no API of the CRM is named')
    expect(asked).to.deep.equal([])
  })
})
