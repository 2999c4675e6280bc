import Big from 'big.js'
import type { Line, Totals } from '../../src/crm/document.ts'
import { Invalid } from '../../src/http/errors.ts'
import { decimals, type Money } from '../../src/platform/money.ts'
import type { Offer } from './port.ts'

/** Optional lines that are wanted, by id, each with how much of it; a decimal string. */
export type Selection = Record<string, string>

/** As the CRM has it. */
export const selectionOf = ({ lines }: Offer): Selection =>
  Object.fromEntries(lines.filter(it => it.optional && it.chosen && it.id).map(it => [it.id, it.quantity]))

/**
 * The offer with this selection, at the CRM's prices and with the CRM's rounding. Throws Invalid for a line that is not
 * selectable and for a quantity that is not allowed.
 */
export function withSelection(offer: Offer, selection: Selection): Offer {
  const sum = arithmeticOf(offer)
  if (!sum) throw new Invalid({ selection: ['There is nothing to choose here.'] }, selection)
  const optional = new Map(offer.lines.flatMap(it => (it.optional && it.id ? [[it.id, it] as const] : [])))
  for (const [id, quantity] of Object.entries(selection)) {
    const line = optional.get(id)
    if (!line)
      throw new Invalid({ selection: ['This option is no longer available. Check the document again.'] }, selection)
    if (!deliverable(quantity, line))
      throw new Invalid(
        { [`quantity.${id}`]: ['Enter a number above zero, with no more decimals than offered.'] },
        selection,
      )
  }
  const lines = offer.lines.map(line => {
    if (!line.optional || !line.id) return line
    const quantity = selection[line.id] ?? line.quantity
    return { ...line, quantity, chosen: line.id in selection, total: lineTotal({ ...line, quantity }, offer.total) }
  })
  const sums = sum(lines)
  return { ...offer, lines, sums, total: sums.total }
}

/** The same where each line may be left out: those that cost something, and come to what the CRM says. */
export const openSelection = (offer: Offer): Offer => ({
  ...offer,
  lines: offer.lines.map(it => (canBeLeftOut(it, offer) ? { ...it, optional: true, chosen: true } : it)),
})

const canBeLeftOut = (it: Line, { total }: Offer) =>
  !it.optional && it.id !== undefined && positive(it.total) && lineTotal(it, total).amount === it.total.amount

const positive = ({ amount }: Money) => Big(amount).gt(0)

/**
 * As it is signed: what was offered as a whole and is kept is no option. Throws Invalid where nothing is left to pay.
 */
export function closeSelection(selection: Offer, offered: Offer): Offer {
  if (!positive(selection.total)) throw new Invalid({ selection: ['Choose at least one line, or decline.'] }, {})
  const lines = selection.lines.map((it, at) =>
    it.chosen ? { ...it, optional: offered.lines[at]?.optional ?? true } : it,
  )
  return { ...selection, lines }
}

/** Whether an offer has optional lines, and our totals for the CRM's own selection equal the CRM's. */
export const isSelectable = (offer: Offer) =>
  offer.lines.some(it => it.optional && it.id) && arithmeticOf(offer) !== undefined

type Arithmetic = (lines: Line[]) => Totals

/** CRMs round tax for each rate or for each line: the way that gives this CRM's own sums; none, if neither does. */
function arithmeticOf(offer: Offer): Arithmetic | undefined {
  if (offer.lines.some(it => it.optional && it.id && lineTotal(it, offer.total).amount !== it.total.amount))
    return undefined
  const same = (totals: Totals) => JSON.stringify(plain(totals)) === JSON.stringify(plain(offer.sums))
  return [perRate, perLine].map(method => sumsOf(offer, method)).find(it => same(it(offer.lines)))
}

const plain = ({ discount, net, taxes, total }: Totals) => [
  ...[discount?.amount.amount, net.amount, total.amount],
  taxes.map(it => [it.percent, it.amount.amount]),
]

type Rounding = (lines: Line[], left: Big, scale: number) => { net: Big; tax: Big }[]

/** `left` is the part that the discount on the whole leaves. */
const perRate: Rounding = (lines, left, scale) => {
  const net = addUp(lines.map(it => it.total.amount))
    .times(left)
    .round(scale)
  return [{ net, tax: net.times(partOf(lines[0]?.tax)).round(scale) }]
}

const perLine: Rounding = (lines, left, scale) =>
  lines.map(it => {
    const net = left.times(it.total.amount).round(scale)
    return { net, tax: net.times(partOf(it.tax)).round(scale) }
  })

const sumsOf =
  (offer: Offer, round: Rounding): Arithmetic =>
  lines => {
    const { currency, amount } = offer.total
    const scale = decimals(amount)
    const money = (it: Big): Money => ({ amount: it.toFixed(scale), currency })
    const counted = lines.filter(it => !it.optional || it.chosen)
    const percent = offer.sums.discount?.percent
    const left = Big(1).minus(partOf(percent))
    const rates = [...Map.groupBy(counted, it => trimmed(it.tax ?? '0'))]
      .map(([rate, its]) => ({ rate, parts: round(its, left, scale) }))
      .sort((a, b) => Number(b.rate) - Number(a.rate))
    const add = (of: 'net' | 'tax', those = rates) => addUp(those.flatMap(it => it.parts).map(it => it[of]))
    const [net, tax] = [add('net'), add('tax')]
    const before = addUp(counted.map(it => it.total.amount))
    return {
      discount: percent ? { percent, amount: money(before.minus(net)) } : null,
      net: money(net),
      taxes: rates.filter(it => it.rate !== '0').map(it => ({ percent: it.rate, amount: money(add('tax', [it])) })),
      total: money(net.plus(tax)),
    }
  }

function lineTotal({ quantity, price, discount }: Line, { amount, currency }: Money): Money {
  const scale = decimals(amount)
  const exact = Big(quantity)
    .times(price.amount)
    .times(Big(1).minus(partOf(discount)))
  return { amount: exact.round(scale).toFixed(scale), currency }
}

const addUp = (amounts: (string | Big)[]): Big => amounts.reduce<Big>((sum, it) => sum.plus(it), Big(0))

/** Of a percentage: 0.19 of "19". */
const partOf = (percent?: string | null): Big => Big(percent ?? 0).times('0.01')

/** Above zero, below a million, and as whole as what is offered. */
const deliverable = (quantity: string, line: Line) =>
  /^\d{1,6}(\.\d{1,3})?$/.test(quantity) &&
  Number(quantity) > 0 &&
  decimals(trimmed(quantity)) <= decimals(trimmed(line.quantity))

const trimmed = (it: string) => (it.includes('.') ? it.replace(/\.?0+$/, '') : it)
