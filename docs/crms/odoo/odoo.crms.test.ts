import { pbkdf2Sync } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import type { Knex } from 'knex'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { quotationsContract } from '../../../plugins/quotations/contract.ts'
import { type ReceivedPayment, refusals } from '../../../src/crm/received-payment.ts'
import { CrmUnavailable } from '../../../src/http/errors.ts'
import { adapterOf, Conflict, NotFound } from '../../../src/index.ts'
import { type Answer, serving } from '../../../test/serving.ts'
import { customerOf, fixture } from '../fixture.ts'
import kept from './crm.map.ts'

const { record, ...payments } = kept.payments!
const map = { ...kept, payments: { ...payments, record: { ...record!, off: false } } }

describe('Odoo 19 by its map', () => {
  const odoo = fixture('odoo', map)
  const mine = customerOf('1', '2')
  const actors = async () => ({ crm: odoo.crm(), mine, theirs: customerOf('1', '5') })

  quotationsContract(actors)
  invoicesContract(actors)
  paymentsContract(actors)

  it('shows what a whole company has, whoever of it is named on the document, and no draft by its address', async () => {
    const { quotations } = odoo.crm().connect(mine)
    const { items } = await quotations!.list({ sort: 'newest', size: 100 })
    expect(new Set((await Promise.all(items.map(it => quotations!.find(it.id)))).map(it => it.to[1]))).to.deep.equal(
      new Set(['Polder Foods', 'Ada Polder']),
    )
    const draft = await odoo.owner()('sale_order').where({ state: 'draft', partner_id: 2 }).first('id')
    expect(await quotations!.find(String(draft.id)).catch(error => error)).to.be.instanceOf(NotFound)
  })

  it('reads notes as text, sections as headings, the seller’s name, and the date at the company', async () => {
    const { quotations } = odoo.crm().connect(mine)
    const [found] = (await quotations!.list({ sort: 'newest', search: 'S00001', size: 1 })).items
    const one = await quotations!.find(found!.id)
    expect(one.terms).to.equal('Pay in 30 days.')
    expect(one.lines.map(it => [it.group, it.title, it.discount])).to.deep.equal([
      ['Mills', 'Sail', null],
      ['Mills', 'Gear', '20'],
    ])
    expect(one).to.include({ owner: 'Sales Person', sentOn: '2026-01-22', respondedBy: 'Ada Polder' })
    expect(one.sums.taxes).to.deep.equal([{ percent: null, amount: { amount: '63.00', currency: 'EUR' } }])
  })

  it('asks for a down payment where Odoo does, until it is invoiced', async () => {
    const { quotations } = odoo.crm().connect(mine)
    const one = async (search: string) => (await quotations!.list({ sort: 'newest', search, size: 1 })).items[0]
    expect((await one('S00001'))?.downPayment).to.deep.equal({ percent: '30' })
    expect((await one('S00004'))?.downPayment).to.deep.equal({ percent: '30' })
    for (const it of ['S00005', 'S00011']) expect((await one(it))?.downPayment, it).to.equal(undefined)
    const { items } = await quotations!.downPayments!({ size: 10 })
    expect(items.map(it => it.number)).to.deep.equal(['S00001'])
    expect((await quotations!.find(items[0]!.id)).account).to.equal(null)
  })

  it('takes the passwords of its portal users, in their companies, and of its staff', async () => {
    const salt = Buffer.from('a salt of Odoo')
    const hash = pbkdf2Sync('portal', salt, 30, 64, 'sha512')
    const passlib = (it: Buffer) => it.toString('base64').replaceAll('+', '.').replace(/=+$/, '')
    const password = `$pbkdf2-sha512$30$${passlib(salt)}$${passlib(hash)}`
    const owner = odoo.owner()
    const user = async (login: string, share: boolean) => {
      const [{ id }] = await owner('res_users').insert({ login, password, partner_id: 6, share, active: true }, 'id')
      await owner('res_company_users_rel').insert({ cid: 1, user_id: id })
      return id
    }
    await user('jo@client.example', true)
    const boss = await user('boss@windmill.example', false)
    await owner('ir_model_data').insert({ name: 'group_system', module: 'base', model: 'res.groups', res_id: 4 })
    await owner('res_groups_users_rel').insert({ gid: 4, uid: boss })

    const [one, two] = [customerOf('1', '1').workspace, customerOf('2', '1').workspace]
    const { identity, staff } = odoo.crm() as ReturnType<typeof adapterOf>
    expect(await identity!.verify(one, 'Jo@Client.example', 'portal')).to.include({ email: 'jo@client.example' })
    expect(await identity!.verify(one, 'jo@client.example', 'Portal')).to.equal(undefined)
    expect(await identity!.verify(two, 'jo@client.example', 'portal')).to.equal(undefined)
    expect(await identity!.verify(one, 'boss@windmill.example', 'portal')).to.equal(undefined)
    expect(await staff!.verify(one, 'boss@windmill.example', 'portal')).to.include({ admin: true })
    expect(await staff!.verify(one, 'jo@client.example', 'portal')).to.equal(undefined)
  })

  it('finds the company by a slug made of its name, and those who can be invited', async () => {
    const { directory } = odoo.crm()
    const workspace = (await directory.workspace('windmill-bv'))!
    expect(workspace).to.deep.include({ id: '1', name: 'Windmill BV', colour: '#1f5f4a', timeZone: 'Europe/Amsterdam' })
    expect(workspace.letterhead).to.deep.equal(['Windmill BV', 'Kade 1', '1011 AB Amsterdam', 'VAT NL1'])
    expect((await directory.contacts(workspace, '2')).map(it => [it.name, it.language])).to.deep.equal([
      ['Polder Foods', 'nl-NL'],
      ['Ada Polder', 'nl-NL'],
    ])
  })

  afterEach(() => {
    delete process.env.ODOO_URL
    delete process.env.ODOO_API_KEY
  })

  it('accepts and refuses by its API, as a user of its own, and not twice', async () => {
    const heard: { method: string; body: any; key: unknown }[] = []
    const api = await serving(async (request, body) => {
      const method = String(request.url).replace('/json/2/', '')
      heard.push({ method, body, key: request.headers.authorization })
      const state = { 'sale.order/action_confirm': 'sale', 'sale.order/action_cancel': 'cancel' }[method]
      if (method === 'sale.order/write') await odoo.owner()('sale_order').whereIn('id', body.ids).update(body.vals)
      if (state) await odoo.owner()('sale_order').whereIn('id', body.ids).update({ state })
      return heard.length === 1 ? 503 : 200
    })
    Object.assign(process.env, { ODOO_URL: api.url, ODOO_API_KEY: 'a key of Odoo' })
    const quotations = { ...map.quotations!, responses: { ...map.quotations!.responses!, off: false } }
    const port = adapterOf({ ...map, quotations }, odoo.database()).connect(mine).quotations!
    const { items } = await port.list({ sort: 'newest', status: 'open', size: 2 })
    const answer = {
      ...{ key: 'k', act: 'accepted' as const, version: 1, at: new Date('2026-11-21T08:00:00.500Z'), on: '2026-11-21' },
      ...{ by: { name: 'Ada Polder', email: 'ada@polder.example', contact: '3' }, reason: null, orderNumber: null },
      ...{ requestedOn: null, selection: null },
    }
    const [first] = items
    expect(String(await port.submit!(first!.id, answer).catch(error => error))).to.include('503')
    await port.submit!(first!.id, answer)
    await port.submit!(first!.id, answer)

    expect(heard.map(it => it.method)).to.deep.equal([
      'sale.order/write',
      'sale.order/write',
      'sale.order/action_confirm',
    ])
    expect(heard.at(-1)).to.deep.equal({
      ...{ method: 'sale.order/action_confirm', body: { ids: [Number(first!.id)] }, key: 'bearer a key of Odoo' },
    })
    expect(heard[1]?.body.vals).to.deep.equal({ signed_by: 'Ada Polder', signed_on: '2026-11-21 08:00:00' })
    expect(await port.find(first!.id)).to.include({ status: 'accepted', respondedBy: 'Ada Polder' })
    const late = await port.submit!(first!.id, { ...answer, act: 'declined', reason: 'No' }).catch(error => error)
    expect(late).to.be.instanceOf(Conflict)
    await api.close()
  })

  describe('a payment of the portal, by its wizard', () => {
    const api = paymentWizard(odoo.owner)
    let server: Awaited<ReturnType<typeof serving>>
    before(async () => {
      server = await serving(api.answer)
    })
    beforeEach(() => {
      Object.assign(process.env, { ODOO_URL: server.url, ODOO_API_KEY: 'a key of Odoo', ODOO_JOURNAL: '6' })
      api.heard.length = 0
    })
    after(() => {
      delete process.env.ODOO_JOURNAL
      return server.close()
    })
    const ports = () => odoo.crm().connect(mine)
    const record = (it: ReceivedPayment) =>
      ports().payments!.record!(it).then(
        () => 'booked',
        error => error,
      )

    it('is booked once, one for each invoice', async () => {
      const payment = received('one', { 2: '1210.00', 5: '10.55' })
      expect(await record(payment)).to.equal('booked')
      expect(await record(payment)).to.equal('booked')
      expect(api.heard).to.have.length(4)
      expect(api.heard.slice(0, 2)).to.deep.equal([
        {
          context: { active_model: 'account.move', active_ids: [2] },
          vals_list: {
            ...{ amount: 1210, currency_id: 1, payment_date: '2026-11-20', journal_id: 6 },
            ...{ communication: 'one/2', payment_difference_handling: 'open', group_payment: true },
          },
        },
        { ids: [1] },
      ])
      expect((await ports().invoices!.find('2')).status).to.equal('paid')
      expect((await ports().invoices!.find('5')).balance.amount).to.equal('699.45')
      const { items } = await ports().payments!.list({ search: 'one/', size: 5 })
      expect(items.map(it => it.amount.amount).sort()).to.deep.equal(['10.55', '1210.00'])
    })

    it('is not made again where the answer was lost, and only what is missing where it ended between two', async () => {
      api.failAt(4, 'lost')
      expect(await record(received('two', { 8: '10.00', 11: '10.00' }))).to.be.instanceOf(CrmUnavailable)
      api.failAt(0)
      expect(await record(received('two', { 8: '10.00', 11: '10.00' }))).to.equal('booked')
      expect(api.heard).to.have.length(4)
      api.failAt(7, 503)
      expect(await record(received('three', { 8: '20.00', 11: '20.00' }))).to.be.instanceOf(CrmUnavailable)
      api.failAt(0)
      expect(await record(received('three', { 8: '20.00', 11: '20.00' }))).to.equal('booked')
      const made = await odoo.owner()('account_payment').whereLike('memo', 't%/%').orderBy('memo').pluck('memo')
      expect(made).to.deep.equal(['three/11', 'three/8', 'two/11', 'two/8'])
    })

    it('that does not fit is refused before anything is sent; what Odoo refuses has its reason', async () => {
      const refused = await record(received('no', { 14: '1210.01' }))
      expect(refused).to.be.instanceOf(Conflict).and.include({ message: refusals.amount })
      expect(await record(received('no', { 6: '1.00' }))).to.be.instanceOf(NotFound)
      expect(await record(received('no', { 10: '1.00' }))).to.include({ message: refusals.cancelled })
      expect(api.heard).to.deep.equal([])
      process.env.ODOO_JOURNAL = '99'
      expect(await record(received('no', { 14: '1.00', 17: '1.00' })))
        .to.be.instanceOf(Conflict)
        .and.include({ message: 'INV/2026/00014: Please define a bank journal.' })
      process.env.ODOO_JOURNAL = '6'
      api.failAt(4, 422)
      expect(await record(received('no', { 14: '1.00', 17: '1.00' }))).to.include({
        message: 'INV/2026/00014 ✓, INV/2026/00017: The CRM answered 422.',
      })
      api.failAt(0)
    })
  })

  it('leaves the database as it was, from migrating to taking away', odoo.untouched)
})

const euros = (amount: string) => ({ amount, currency: 'EUR' })

const received = (key: string, invoices: Record<string, string>): ReceivedPayment => ({
  ...{ key, on: '2026-11-20', method: 'card', reference: 'pi_1', payer: 'Ada Polder', fee: null, amount: euros('0') },
  shares: Object.entries(invoices).map(([id, amount]) => ({
    ...{ section: 'invoices', id, number: `INV/2026/${id.padStart(5, '0')}`, amount: euros(amount) },
  })),
})

/** Answers as `account.payment.register` does through /json/2, and makes the rows that it makes. */
function paymentWizard(owner: ReturnType<typeof fixture>['owner']) {
  const heard: any[] = []
  const wizards: any[] = []
  let failing: { at: number; how: number | 'lost' } | undefined
  const answer = async ({ url, headers }: IncomingMessage, body: any): Promise<Answer> => {
    if (headers.authorization !== 'bearer a key of Odoo') return 401
    const fails = failing?.at === heard.length + 1 ? failing.how : undefined
    if (typeof fails === 'number') return fails
    heard.push(body)
    if (url === '/json/2/account.payment.register/create') {
      if (body.vals_list.journal_id !== 6) return { status: 422, json: { message: 'Please define a bank journal.' } }
      return { status: 200, json: [wizards.push({ ...body.vals_list, invoice: body.context.active_ids[0] })] }
    }
    if (url !== '/json/2/account.payment.register/action_create_payments') return 404
    await registered(owner(), wizards[body.ids[0] - 1])
    return fails === 'lost' ? 0 : { status: 200, json: { type: 'ir.actions.act_window', res_id: 1 } }
  }
  return {
    heard,
    answer,
    /** The call with this number fails from now on; none, with 0. */
    failAt(at: number, how: number | 'lost' = 0) {
      failing = at ? { at, how } : undefined
    },
  }
}

async function registered(owner: Knex, { invoice, amount, payment_date: date, currency_id, communication: memo }: any) {
  const { id: due, partner_id } = await owner('account_move_line as l')
    .join('account_move as m', 'm.id', 'l.move_id')
    .where({ 'm.id': invoice, 'l.display_type': 'payment_term' })
    .first('l.id', 'm.partner_id')
  const [{ id: move_id }] = await owner('account_move').insert({ move_type: 'entry', state: 'posted' }, 'id')
  const [{ id: line }] = await owner('account_move_line').insert({ move_id, display_type: 'payment_term' }, 'id')
  const payment = { move_id, partner_id, company_id: 1, payment_type: 'inbound', state: 'in_process', currency_id }
  await owner('account_payment').insert({ ...payment, date, amount, memo })
  const reconciled = { debit_move_id: due, credit_move_id: line, amount, debit_amount_currency: amount }
  await owner('account_partial_reconcile').insert(reconciled)
  await owner('account_move').where({ id: invoice }).decrement('amount_residual', amount)
}
