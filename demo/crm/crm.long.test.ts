import { expect } from 'chai'
import type { Express } from 'express'
import type { Knex } from 'knex'
import request from 'supertest'
import { type Copy, close, fresh, today } from '../../test/database.ts'
import { createCrm } from './app.ts'
import { migrateCrm, rollbackCrm } from './migrate.ts'
import { people } from './seed/people.ts'
import { seedCrm } from './seed.ts'

describe('The demo CRM', () => {
  let copy: Copy
  let database: Knex
  let app: Express

  before(async () => {
    copy = await fresh('crm')
    database = copy.owner
    app = createCrm({ database, secret: 'a secret of the tests', today })
  })
  after(() => close(copy))

  describe('its seed', () => {
    it('adds up on every proposal', async () => {
      expect(
        await wrongTotals(database, 'proposals', offers('proposal_lines', 'proposal_id', 'is_optional', 'is_chosen')),
      ).to.deep.equal([])
      expect(await wrongLines(database, 'proposal_lines', 'qty', 'unit_price')).to.equal(0)
    })

    it('adds up on every quotation', async () => {
      expect(
        await wrongTotals(database, 'quotations', offers('quotation_lines', 'quotation_id', 'optional', 'chosen')),
      ).to.deep.equal([])
      expect(await wrongLines(database, 'quotation_lines', 'quantity', 'price')).to.equal(0)
    })

    it('adds up on every invoice', async () => {
      expect(
        await wrongTotals(database, 'invoices', 'select invoice_id as id, tax_pct, line_total from invoice_lines'),
      ).to.deep.equal([])
      expect(await wrongLines(database, 'invoice_lines', 'qty', 'unit_price')).to.equal(0)
    })

    it('knows of every invoice what was paid, credited and is still open', async () => {
      const { rows } = await database.raw(`
        select i.ref_no from invoices i,
          lateral (select coalesce(sum(amount), 0) as sum from payments where invoice_id = i.id) p,
          lateral (select coalesce(sum(grand_total), 0) as sum from credit_notes
                   where invoice_id = i.id and state = 'issued') c
        where i.amount_paid <> p.sum or i.amount_credited <> c.sum
          or i.state <> 'void' and i.balance <> i.grand_total - p.sum - c.sum
          or i.state in ('sent', 'partial', 'paid') and i.state <>
            case when i.balance = 0 then 'paid' when i.amount_paid > 0 then 'partial' else 'sent' end`)
      expect(rows).to.deep.equal([])
    })

    it('gives the same rows for the same day', async () => {
      const twin = await fresh('crm')
      await rollbackCrm(twin.owner)
      await migrateCrm(twin.owner)
      await seedCrm(twin.owner, { today })
      expect(await fingerprints(twin.owner)).to.deep.equal(await fingerprints(database))
      await close(twin)
    })

    it('has five workspaces of thirty clients, one with 5,000 invoices and one in each with nothing', async () => {
      const { rows } = await database.raw(`
        select w.slug, count(*)::int as clients, count(*) filter (where i.count = 5000)::int as huge,
          count(*) filter (where i.count = 0 and p.count = 0 and q.count = 0)::int as empty
        from workspaces w join clients k on k.workspace_id = w.id,
          lateral (select count(*) from invoices where client_id = k.id) i,
          lateral (select count(*) from proposals where client_id = k.id) p,
          lateral (select count(*) from quotations where client_id = k.id) q
        group by w.id order by w.id`)
      expect(rows).to.deep.equal(
        ['brightside', 'ledgerline', 'harbor', 'pressworks', 'revive'].map(slug => ({
          slug,
          clients: 30,
          huge: slug === 'harbor' ? 1 : 0,
          empty: 1,
        })),
      )
    })

    it('shows Acme Bakery as it was drawn', async () => {
      const { rows } = await database.raw(`
        select currency_code, sum(balance) as open, sum(balance) filter (where due_on < '${today}') as overdue
        from invoices i join clients k on k.id = i.client_id
        where k.company_name = 'Acme Bakery' and i.state in ('sent', 'partial') and deleted_at is null
        group by currency_code order by currency_code`)
      expect(rows).to.deep.equal([
        { currency_code: 'EUR', open: '10676.50', overdue: '5050.00' },
        { currency_code: 'USD', open: '1240.50', overdue: null },
      ])
      const winter = await database('proposals').where('ref_no', 'P-2026-031').where('workspace_id', 1).first()
      expect(winter).to.include({
        title: 'Winter campaign and shop relaunch, phase two',
        net_total: '13832.00',
        grand_total: '16736.72',
      })
    })

    it('has drafts and deleted ones at Acme Bakery that no client may see', async () => {
      for (const [table, state] of [
        ['invoices', 'state'],
        ['proposals', 'state'],
        ['quotations', 'status'],
      ]) {
        const { rows } = await database.raw(
          `select count(*) filter (where ?? = 'draft' and deleted_at is null)::int as drafts,
             count(*) filter (where deleted_at is not null)::int as deleted
           from ?? where client_id = (select id from clients where company_name = 'Acme Bakery')`,
          [state!, table!],
        )
        expect(rows[0].drafts, table).to.be.above(0)
        expect(rows[0].deleted, table).to.be.above(0)
      }
    })

    it('knows everybody in people.json', async () => {
      for (const person of people) {
        const found =
          person.kind === 'staff'
            ? await database('staff as s')
                .join('workspaces as w', 'w.id', 's.workspace_id')
                .where({ 'w.slug': person.workspace, 's.email': person.email })
                .first('s.is_admin')
            : await database('contacts as c')
                .join('clients as k', 'k.id', 'c.client_id')
                .join('workspaces as w', 'w.id', 'k.workspace_id')
                .where({ 'w.slug': person.workspace, 'k.company_name': person.client, 'c.email': person.email })
                .first('c.id')
        expect(found, person.email).to.exist
        if (person.kind === 'staff') expect(found.is_admin).to.equal(person.role === 'admin')
      }
    })
  })

  describe('at the door', () => {
    it('sends whoever is not signed in to the sign-in page', async () => {
      for (const path of [
        '/',
        '/clients',
        '/clients/1',
        '/proposals',
        '/quotations/1',
        '/invoices/1/edit',
        '/settings',
      ]) {
        await request(app).get(path).expect(303).expect('Location', '/login')
      }
      await request(app)
        .post('/invoices/1/payments')
        .type('form')
        .send({ amount: '1' })
        .expect(303)
        .expect('Location', '/login')
    })

    it('lets every member of staff in, and out again', async () => {
      for (const { workspace, role } of people.filter(person => person.kind === 'staff')) {
        const agent = await signedIn(app, workspace, role)
        const { text } = await agent.get('/').expect(200)
        expect(text).to.contain('Overview')
        await agent.post('/logout').expect(303).expect('Location', '/login')
        await agent.get('/').expect(303).expect('Location', '/login')
      }
    })

    it('refuses a wrong password and a contact of a client', async () => {
      const nadia = people.find(person => person.name === 'Nadia El-Khoury')!
      for (const body of [
        { email: 'marta@brightside.example', password: 'wrong' },
        { email: nadia.email, password: nadia.password },
        {},
      ]) {
        const { text, headers } = await request(app).post('/login').type('form').send(body).expect(422)
        expect(text).to.contain('is not right')
        expect(headers['set-cookie']).to.equal(undefined)
      }
    })

    it('ignores forms of other sites', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      await agent
        .post('/settings')
        .set('Sec-Fetch-Site', 'cross-site')
        .type('form')
        .send({ name: 'Stolen' })
        .expect(403)
      await agent
        .post('/settings')
        .set('Origin', 'https://evil.example')
        .type('form')
        .send({ name: 'Stolen' })
        .expect(403)
      expect(await database('workspaces').where('name', 'Stolen')).to.deep.equal([])
    })
  })

  describe('inside a workspace', () => {
    it('shows lists, details and forms', async () => {
      const agent = await signedIn(app, 'brightside', 'staff')
      for (const path of ['clients', 'proposals', 'quotations', 'invoices']) {
        const { text } = await agent.get(`/${path}`).expect(200)
        expect(text, path).to.contain('Page 1 of ')
        const detail = new RegExp(`href="(/${path}/\\d+)"`).exec(text)![1]!
        await agent.get(detail).expect(200)
        await agent.get(`/${path}/new`).expect(200)
        await agent.get(`/${path}?q=%25&state=nonsense&page=99999999999`).expect(200)
      }
    })

    it('finds by number, title and client, and filters by state', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      expect((await agent.get('/invoices?q=2026-0107')).text)
        .to.contain('1 found')
        .and.to.contain('Photography: autumn range')
      const accepted = (await agent.get('/proposals?q=acme+bakery&state=accepted')).text
      expect(accepted).to.contain('11 found').and.not.to.contain('P-2026-031')
    })

    it('never runs what a client calls itself', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      const { text } = await agent.get('/clients?q=script')
      expect(text).to.contain('&lt;script&gt;alert(&#39;acme&#39;)&lt;/script&gt;').and.not.to.contain('<script>')
    })

    it('does not know the records of another workspace', async () => {
      const stranger = await signedIn(app, 'ledgerline', 'admin')
      for (const table of ['clients', 'proposals', 'quotations', 'invoices']) {
        const { id } = await database(table).where('workspace_id', 1).first('id')
        await stranger.get(`/${table}/${id}`).expect(404)
        await stranger.get(`/${table}/${id}/edit`).expect(404)
        await stranger
          .post(`/${table}/${id}`)
          .type('form')
          .send(typed(invoiceForm(1)))
          .expect(404)
      }
      const { id } = await database('invoices').where({ workspace_id: 1, state: 'sent' }).first('id')
      await stranger
        .post(`/invoices/${id}/payments`)
        .type('form')
        .send({ paidOn: today, amount: '1', method: 'card' })
        .expect(404)
      await stranger.post(`/invoices/${id}/void`).expect(404)
      await stranger
        .post('/invoices')
        .type('form')
        .send(typed(invoiceForm(1)))
        .expect(422)
    })

    it('does not show what was deleted', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      const { id } = await database('invoices').where('workspace_id', 1).whereNotNull('deleted_at').first('id')
      await agent.get(`/invoices/${id}`).expect(404)
    })

    it('lets an administrator change the settings, and nobody else', async () => {
      const admin = await signedIn(app, 'revive', 'admin')
      const other = await signedIn(app, 'revive', 'staff')
      const values = await database('workspaces').where('slug', 'revive').first()
      await other
        .post('/settings')
        .type('form')
        .send({ ...values, name: 'Mine now' })
        .expect(403)
      await admin
        .post('/settings')
        .type('form')
        .send({ ...values, colour: '#112233' })
        .expect(303)
      const changed = await database('workspaces').where('slug', 'revive').first('name', 'colour')
      expect(changed).to.deep.equal({ name: 'Revive Repairs', colour: '#112233' })
    })

    it('names the path on its 404 page', async () => {
      const { text } = await request(app).get('/no/such/<page>').expect(404).expect('Content-Type', /html/)
      expect(text).to.contain('/no/such/&lt;page&gt;')
    })
  })

  describe('an invoice', () => {
    it('is written, changed, sent and paid', async () => {
      const agent = await signedIn(app, 'brightside', 'staff')
      const created = await agent
        .post('/invoices')
        .type('form')
        .send(typed(invoiceForm(1)))
        .expect(303)
      const path = created.headers.location!
      const id = Number(path.split('/').at(-1))
      const read = () =>
        database('invoices')
          .where('id', id)
          .first('ref_no', 'state', 'net_total', 'tax_total', 'grand_total', 'balance', 'amount_paid')

      const draft = await read()
      expect(draft.ref_no).to.match(/^2026-\d{4}$/)
      expect(draft).to.include({ state: 'draft', net_total: '300.45', tax_total: '63.09', grand_total: '363.54' })

      expect((await agent.get(`${path}/edit`).expect(200)).text).to.contain('value="Bread photographs"')
      await agent
        .post(path)
        .type('form')
        .send(typed({ ...invoiceForm(1), title: '', lines: [] }))
        .expect(422)
      await agent
        .post(path)
        .type('form')
        .send(typed({ ...invoiceForm(1), discount: '10' }))
        .expect(303)
      expect(await read()).to.include({
        net_total: '270.41',
        tax_total: '56.79',
        grand_total: '327.20',
        balance: '327.20',
      })

      await agent.post(`${path}/payments`).type('form').send(payment('1.00')).expect(422)
      await agent.post(`${path}/send`).expect(303).expect('Location', path)
      expect(await read()).to.include({ state: 'sent' })
      await agent.get(`${path}/edit`).expect(404)

      await agent.post(`${path}/payments`).type('form').send(payment('327.21')).expect(422)
      await agent.post(`${path}/payments`).type('form').send(payment('100')).expect(303)
      expect(await read()).to.include({ state: 'partial', amount_paid: '100.00', balance: '227.20' })
      await agent.post(`${path}/void`).expect(422)
      await agent.post(`${path}/payments`).type('form').send(payment('227,20')).expect(303)
      expect(await read()).to.include({ state: 'paid', amount_paid: '327.20', balance: '0.00' })
    })

    it('can be voided as long as nobody has paid', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      const { headers } = await agent
        .post('/invoices')
        .type('form')
        .send(typed(invoiceForm(2)))
        .expect(303)
      await agent.post(`${headers.location}/send`).expect(303)
      await agent.post(`${headers.location}/void`).expect(303)
      const { text } = await agent.get(headers.location!).expect(200)
      expect(text).to.contain('state void')
    })
  })

  describe('a proposal', () => {
    it('counts options only when chosen, and is a new version when changed after sending', async () => {
      const agent = await signedIn(app, 'brightside', 'admin')
      const line = { title: 'Film', quantity: '1', price: '1000', tax: '21' }
      const form: Form = { client: '1', title: 'Film', currency: 'EUR', lines: [line, { ...line, optional: 'on' }] }
      const { headers } = await agent.post('/proposals').type('form').send(typed(form)).expect(303)
      const id = headers.location!.split('/').at(-1)
      const read = () => database('proposals').where({ id }).first('state', 'version', 'grand_total')
      expect(await read()).to.deep.equal({ state: 'draft', version: 1, grand_total: '1210.00' })
      await agent.post(`${headers.location}/send`).expect(303)
      const chosen = { ...form, lines: [line, { ...line, optional: 'on', chosen: 'on' }] }
      await agent.post(headers.location!).type('form').send(typed(chosen)).expect(303)
      expect(await read()).to.deep.equal({ state: 'sent', version: 2, grand_total: '2420.00' })
    })
  })

  describe('its hooks', () => {
    it('mounts routers before its parsers and after its passport', async () => {
      const hooked = createCrm({
        database,
        secret: 'a secret of the tests',
        today,
        mount: {
          early: crm => crm.post('/early', (req, res) => res.json({ body: req.body ?? null })),
          late: crm => crm.get('/late', (req, res) => res.json({ user: (req.user as { name: string }).name })),
        },
        links: [{ href: '/settings/somewhere', label: 'Somewhere' }],
      })
      await request(hooked).post('/early').send({ a: 1 }).expect(200, { body: null })
      const agent = await signedIn(hooked, 'harbor', 'admin')
      await agent.get('/late').expect(200, { user: 'Denise Castellano' })
      expect((await agent.get('/settings')).text).to.contain('href="/settings/somewhere"')
    })
  })

  describe('its migrations', () => {
    it('can be taken back', async () => {
      const emptied = await fresh('crm')
      await rollbackCrm(emptied.owner)
      const { rows } = await emptied.owner.raw(
        `select tablename from pg_tables where schemaname = 'public' and tablename not like 'knex%'`,
      )
      expect(rows).to.deep.equal([])
      await close(emptied)
    })
  })
})

function invoiceForm(client: number): Form {
  return {
    client: String(client),
    contact: '',
    title: 'Bread photographs',
    currency: 'eur',
    lines: [
      { title: 'Photographs', quantity: '3', unit: 'hours', price: '95,15', discount: '0', tax: '21' },
      { title: 'Bread', quantity: '2.5', price: '6', discount: '', tax: '21' },
      { title: '', quantity: '', price: '' },
    ],
  }
}

type Form = Record<string, string | Record<string, string>[]>

function typed(form: Form): string {
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === 'string') fields.set(name, value)
    else
      value.forEach((line, index) => {
        for (const field of Object.keys(line)) fields.set(`${name}[${index}][${field}]`, line[field]!)
      })
  }
  return fields.toString()
}

function payment(amount: string) {
  return { paidOn: today, amount, method: 'bank transfer', reference: '', payer: 'Acme Bakery' }
}

async function signedIn(app: Express, workspace: string, role: string) {
  const { email, password } = people.find(
    person => person.kind === 'staff' && person.workspace === workspace && person.role === role,
  )!
  const agent = request.agent(app)
  await agent.post('/login').type('form').send({ email, password }).expect(303).expect('Location', '/')
  return agent
}

function offers(lines: string, parent: string, optional: string, chosen: string): string {
  return `select ${parent} as id, tax_pct, line_total from ${lines} where not ${optional} or ${chosen}`
}

async function wrongTotals(database: Knex, table: string, lines: string): Promise<unknown[]> {
  const { rows } = await database.raw(`
    with rates as (
      select d.id, l.tax_pct, round(sum(l.line_total) * (1 - coalesce(d.discount_pct, 0) / 100), 2) as net
      from ${table} d join (${lines}) l on l.id = d.id group by d.id, l.tax_pct
    ), sums as (
      select id, sum(net) as net, sum(round(net * tax_pct / 100, 2)) as tax from rates group by id
    )
    select d.id from ${table} d left join sums s on s.id = d.id
    where s.id is null or d.net_total <> s.net or d.tax_total <> s.tax or d.grand_total <> s.net + s.tax`)
  return rows
}

async function wrongLines(database: Knex, table: string, quantity: string, price: string): Promise<number> {
  const { rows } = await database.raw(
    `select count(*)::int from ${table} where line_total <> round(${quantity} * ${price} * (1 - discount_pct / 100), 2)`,
  )
  return rows[0].count
}

async function fingerprints(database: Knex): Promise<Record<string, string>> {
  const { rows } = await database.raw(
    `select tablename from pg_tables where schemaname = 'public' and tablename not like 'knex%' and tablename <> 'user_sessions'`,
  )
  const prints: Record<string, string> = {}
  for (const { tablename } of rows) {
    const { rows } = await database.raw(`select md5(string_agg(t::text, '|' order by t::text)) as print from ?? t`, [
      tablename,
    ])
    prints[tablename] = rows[0].print
  }
  return prints
}
