import { pbkdf2Sync } from 'node:crypto'
import { expect } from 'chai'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { quotationsContract } from '../../../plugins/quotations/contract.ts'
import { adapterOf, Conflict, NotFound } from '../../../src/index.ts'
import { serving } from '../../../test/serving.ts'
import { customerOf, fixture } from '../fixture.ts'
import map from './crm.map.ts'

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

  it('leaves the database as it was, from migrating to taking away', odoo.untouched)
})
