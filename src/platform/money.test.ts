import { expect } from 'chai'
import { above, subtract } from './money.ts'

const euros = (amount: string) => ({ amount, currency: 'EUR' })

describe('an amount', () => {
  it('is compared to the last decimal, however many it has', () => {
    expect(above(euros('10'), euros('9.99'))).to.equal(true)
    expect(above(euros('0.30'), euros('0.3'))).to.equal(false)
    expect(above(euros('9007199254740993.01'), euros('9007199254740993'))).to.equal(true)
    expect(above(euros('-2'), euros('-1.5'))).to.equal(false)
    expect(above(euros('1'), { amount: '2', currency: 'USD' })).to.equal(true)
  })

  it('is taken from another exactly, with the decimals of the first', () => {
    expect(subtract('0.30', '0.10')).to.equal('0.20')
    expect(subtract('1200', '1428')).to.equal('-228')
    expect(subtract('9007199254740993.00', '0.01')).to.equal('9007199254740992.99')
    expect(subtract('5.00', '5.00')).to.equal('0.00')
  })
})
