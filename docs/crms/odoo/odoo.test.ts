import { expect } from 'chai'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { quotationsContract } from '../../../plugins/quotations/contract.ts'
import { NotFound } from '../../../src/index.ts'
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
    expect(one.terms).to.equal('Pay in 30 days.\nalert(1)')
    expect(one.lines.map(it => [it.group, it.title, it.discount])).to.deep.equal([
      ['Mills', 'Sail', null],
      ['Mills', 'Gear', '20'],
    ])
    expect(one).to.include({ owner: 'Sales Person', sentOn: '2026-01-22', answeredBy: 'Ada Polder' })
    expect(one.sums.taxes).to.deep.equal([{ percent: null, amount: { amount: '63.00', currency: 'EUR' } }])
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

  it('leaves the database as it was, from migrating to taking away', odoo.untouched)
})
