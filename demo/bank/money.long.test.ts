import { expect } from 'chai'
import { decodeForm } from './form.ts'
import { currencies, decimalMoney, exponent, feeOf, formatMoney, parseMoney } from './money.ts'

describe("The demo bank's money", () => {
  it('reads what it writes, in every currency', () => {
    for (const currency of currencies) {
      for (const amount of [0, 1, 9, 10, 99, 100, 12_345, 99_999_999]) {
        expect(parseMoney(decimalMoney(amount, currency), currency), `${amount} ${currency}`).to.equal(amount)
      }
    }
  })

  it('knows how many decimals a currency has', () => {
    expect(['jpy', 'eur', 'kwd', 'isk', 'ugx'].map(exponent)).to.deep.equal([0, 2, 3, 2, 2])
    expect(formatMoney(1_234, 'jpy')).to.equal('¥1,234')
    expect(formatMoney(123_456, 'eur')).to.equal('€1,234.56')
    expect(formatMoney(-5, 'usd')).to.equal('-$0.05')
    expect(formatMoney(1_234_560, 'kwd')).to.equal('KWD\u00a01,234.560')
  })

  it('reads amounts as people type them, and nothing else', () => {
    expect(['12', '12.5', '12,50', ' 12.50 '].map(text => parseMoney(text, 'eur'))).to.deep.equal([
      1_200, 1_250, 1_250, 1_250,
    ])
    for (const text of ['', '-1', '1.234', '1e3', '12.', 'all', '1,000.00']) {
      expect(parseMoney(text, 'eur'), text).to.equal(undefined)
    }
    expect(parseMoney('12.5', 'jpy')).to.equal(undefined)
  })

  it('takes 1.5 % and 0.25 of a card payment, and 0.35 of a debit', () => {
    expect(feeOf(12_345, 'eur', 'card')).to.equal(210)
    expect(feeOf(50, 'eur', 'card')).to.equal(26)
    expect(feeOf(12_345, 'eur', 'sepa_debit')).to.equal(35)
  })
})

describe("The demo bank's forms", () => {
  it('nest by brackets, in lists with and without numbers', () => {
    expect(decodeForm('a[b][c]=1&a[b][d]=2&x=3')).to.deep.equal({ a: { b: { c: '1', d: '2' } }, x: '3' })
    expect(decodeForm('a[0]=x&a[1]=y')).to.deep.equal({ a: ['x', 'y'] })
    expect(decodeForm('a[]=x&a[]=y')).to.deep.equal({ a: ['x', 'y'] })
    expect(decodeForm('a[][b]=1&a[][c]=2&a[][b]=3')).to.deep.equal({ a: [{ b: '1', c: '2' }, { b: '3' }] })
    expect(decodeForm('a%5B0%5D%5Bb%5D=%C3%A9')).to.deep.equal({ a: [{ b: 'é' }] })
  })

  it('cannot reach a prototype', () => {
    const read = decodeForm('__proto__[polluted]=1&a[__proto__][polluted]=1&constructor[x]=1')
    expect(({} as { polluted?: string }).polluted).to.equal(undefined)
    expect(Object.getPrototypeOf(read)).to.equal(Object.prototype)
  })

  it('have limits', () => {
    expect(() => decodeForm(`a${'[b]'.repeat(9)}=1`)).to.throw('too deep')
    expect(() => decodeForm('a=1&'.repeat(2_001))).to.throw('Too many')
  })
})
