import { expect } from 'chai'
import fc from 'fast-check'
import { totals } from '../../demo/crm/money.ts'
import type { Line } from '../../src/crm/document.ts'
import type { Offer } from './port.ts'
import { isSelectable, selectionOf, withSelection } from './selection.ts'

/** Lines as a CRM prices them: quantities of three decimals, prices of four, discounts and taxes in per cent. */
const cents = fc.integer({ min: 0, max: 9_999_999 })
const scaled = (most: number, places: number) =>
  fc.integer({ min: 0, max: most * 10 ** places }).map(it => (it / 10 ** places).toFixed(places))
const aLine = fc.record({
  quantity: scaled(500, 3).filter(it => Number(it) > 0),
  price: scaled(10_000, 4),
  discount: fc.option(scaled(100, 2), { nil: null }),
  tax: fc.constantFrom('0', '6', '9', '21', '19.5', '7.7'),
  optional: fc.boolean(),
  chosen: fc.boolean(),
})
const anOffer = fc.record({
  lines: fc.array(aLine, { minLength: 1, maxLength: 12 }),
  discount: fc.option(fc.constantFrom('5', '12.5', '0.01', '100'), { nil: null }),
})

describe('a choice of options', () => {
  it('gives the same totals as the CRM for any prices, discounts and taxes', () => {
    fc.assert(
      fc.property(anOffer, fc.func(fc.boolean()), (given, wanted) => {
        const offer = priced(given)
        expect(isSelectable(offer)).to.equal(given.lines.some(it => it.optional))
        if (!isSelectable(offer)) return
        const selection = Object.fromEntries(
          offer.lines.filter(it => it.optional && wanted(it.id)).map(it => [it.id, it.quantity]),
        )
        const mine = withSelection(offer, selection)
        const theirs = priced({
          ...given,
          lines: given.lines.map((it, at) => (it.optional ? { ...it, chosen: String(at) in selection } : it)),
        })
        expect(mine.sums).to.deep.equal(theirs.sums)
        expect(mine.total).to.deep.equal(theirs.total)
      }),
    )
  })

  it('changes no price, and no line that is not optional', () => {
    fc.assert(
      fc.property(anOffer, fc.dictionary(fc.constantFrom('0', '1', '2', '3'), scaled(90, 2)), (given, selection) => {
        const offer = priced(given)
        if (!isSelectable(offer)) return
        try {
          const mine = withSelection(offer, selection)
          for (const [at, line] of mine.lines.entries()) {
            expect(line.price).to.deep.equal(offer.lines[at]?.price)
            if (!line.optional) expect(line).to.deep.equal(offer.lines[at])
          }
        } catch (error: any) {
          expect(error.code).to.equal('invalid')
        }
      }),
    )
  })

  it('as the CRM has it changes nothing at all', () => {
    fc.assert(
      fc.property(anOffer, given => {
        const offer = priced(given)
        if (isSelectable(offer)) expect(withSelection(offer, selectionOf(offer))).to.deep.equal(offer)
      }),
    )
  })

  it('is not offered where our arithmetic is not the CRM’s', () => {
    fc.assert(
      fc.property(anOffer, cents, (given, off) => {
        const offer = priced(given)
        const wrong = { amount: `${off}.37`, currency: 'EUR' }
        fc.pre(offer.lines.some(it => it.optional) && wrong.amount !== offer.total.amount)
        expect(isSelectable({ ...offer, total: wrong, sums: { ...offer.sums, total: wrong } })).to.equal(false)
      }),
    )
  })

  it('keeps the places that the CRM’s currency has', () => {
    for (const [amounts, expected] of [
      [['1000', '300', '1300', '130', '1430'], '1100'],
      [['1.000', '0.300', '1.300', '0.130', '1.430'], '1.100'],
    ] as const) {
      const [a = '', b = '', net = '', tax = '', total = ''] = amounts
      const money = (amount: string) => ({ amount, currency: 'XXX' })
      const line = (id: string, amount: string, optional: boolean): Line => ({
        ...{
          id,
          group: null,
          title: id,
          details: null,
          quantity: '1',
          unit: null,
          price: money(amount),
          discount: null,
        },
        ...{ tax: '10', total: money(amount), optional, chosen: true },
      })
      const offer = {
        ...priced({ lines: [], discount: null }),
        lines: [line('a', a, false), line('b', b, true)],
        sums: {
          discount: null,
          net: money(net),
          taxes: [{ percent: '10', amount: money(tax) }],
          total: money(total),
        },
        total: money(total),
      }
      expect(withSelection(offer, {}).total.amount).to.equal(expected)
    }
  })
})

type Given = typeof anOffer extends fc.Arbitrary<infer T> ? T : never

/** As the demo CRM prices it, which is code of its own. */
function priced({ lines, discount }: Given): Offer {
  const money = (amount: string) => ({ amount, currency: 'EUR' })
  const counted = lines.map(it => ({ ...it, unitPrice: it.price, discount: it.discount ?? '0' }))
  const sumsOf = (its: typeof counted) =>
    totals(
      its.map(it => ({ ...it, counts: !it.optional || it.chosen })),
      discount,
    )
  const all = sumsOf(counted)
  const alone = (it: (typeof counted)[number]) => totals([{ ...it, tax: '0', counts: true }], null).net
  const before = totals(
    counted.map(it => ({ ...it, tax: '0', counts: !it.optional || it.chosen })),
    null,
  ).net
  const rates = [...new Set(counted.filter(it => !it.optional || it.chosen).map(it => it.tax))]
    .filter(it => it !== '0')
    .sort((a, b) => Number(b) - Number(a))
  const minus = (a: string, b: string) => ((Math.round(Number(a) * 100) - Math.round(Number(b) * 100)) / 100).toFixed(2)
  return {
    ...{ id: '1', number: 'P', title: 'T', status: 'open', sentOn: '2026-01-01', validUntil: null, respondedOn: null },
    ...{ owner: null, version: 1, to: [], intro: null, terms: null, respondedBy: null, responseNote: null },
    total: money(all.gross),
    lines: counted.map((it, at) => ({
      ...{ id: String(at), group: null, title: String(at), details: null, unit: null },
      ...{ quantity: it.quantity, price: money(it.price), discount: Number(it.discount) ? it.discount : null },
      ...{ tax: it.tax, total: money(alone(it)), optional: it.optional, chosen: it.chosen },
    })),
    sums: {
      discount: discount ? { percent: discount, amount: money(minus(before, all.net)) } : null,
      net: money(all.net),
      taxes: rates.map(rate => ({ percent: rate, amount: money(sumsOf(counted.filter(it => it.tax === rate)).tax) })),
      total: money(all.gross),
    },
  }
}
