import { expect } from 'chai'
import { actors } from '../../test/actors.ts'
import { leave, open } from '../../test/visit.ts'
import { quotationsContract } from './contract.ts'

describe('quotations', () => {
  afterEach(leave)

  quotationsContract(actors)

  it('are read like proposals, in words of their own', async () => {
    const { visit } = await open()
    const owner = await visit('owner')
    const [first] = (await owner.api('/quotations?sort=newest')).body.items

    expect(await owner.get('/quotations'))
      .to.show(first.number, 'Search quotations')
      .and.not.show('proposal ')
    expect(await owner.get(`/quotations/${first.id}`)).to.show(first.number, 'Quotation', 'Version')
    expect((await owner.api(`/quotations/${first.id}`)).body.quotation).to.include({ number: first.number })
    expect(await owner.get('/activity')).to.show(`looked at quotation ${first.number}`)
  })
})
