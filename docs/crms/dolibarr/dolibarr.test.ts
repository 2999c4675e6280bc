import { expect } from 'chai'
import { invoicesContract } from '../../../plugins/invoices/contract.ts'
import { paymentsContract } from '../../../plugins/payments/contract.ts'
import { proposalsContract } from '../../../plugins/proposals/contract.ts'
import { customerOf, fixture } from '../fixture.ts'
import map from './crm.map.ts'

describe('Dolibarr by its map', () => {
  const dolibarr = fixture('dolibarr', map)
  const mine = customerOf('1', '1')
  const actors = async () => ({ crm: dolibarr.crm(), mine, theirs: customerOf('1', '2') })

  proposalsContract(actors)
  invoicesContract(actors)
  paymentsContract(actors)

  it('shares one transfer among the invoices that it paid, and leaves open what is left of one', async () => {
    const { payments, invoices } = dolibarr.crm().connect(mine)
    const [both] = (await payments!.list({ search: 'BOTH', size: 5 })).items
    expect(both!.amount).to.deep.equal({ amount: '462.00', currency: 'EUR' })
    expect(both!.invoices.map(it => [it.number, it.amount.amount])).to.deep.equal([
      ['FA2601-0003', '231.00'],
      ['FA2601-0006', '231.00'],
    ])
    const [part] = (await invoices!.list({ sort: 'newest', search: 'FA2601-0001', size: 1 })).items
    expect(part).to.deep.include({ balance: { amount: '199.50', currency: 'EUR' }, status: 'overdue' })
    expect((await payments!.list({ search: 'PART', size: 5 })).items[0]).to.include({
      method: 'card',
      on: '2025-12-02',
    })
  })

  it('reads a status by its number, a description as text, and calls an unknown way to pay other', async () => {
    const { proposals, payments } = dolibarr.crm().connect(mine)
    const { items } = await proposals!.list({ sort: 'newest', size: 100 })
    expect(new Set(items.map(it => it.status))).to.deep.equal(new Set(['open', 'expired', 'accepted', 'declined']))
    const one = await proposals!.find(items[0]!.id)
    expect(one).to.include({ terms: 'Valable 30 jours', owner: 'Claire Blanc' })
    expect(one.lines.map(it => it.title)).to.deep.equal(['Conseil', 'Pose'])
    expect((await payments!.list({ size: 100 })).items.map(it => it.method)).to.include('other')
  })

  it('leaves the database as it was, from migrating to taking away', dolibarr.untouched)
})
