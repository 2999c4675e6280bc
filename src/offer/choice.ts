import type { Line, Sums } from '../document.ts'
import { Invalid } from '../errors.ts'
import { decimals, type Money, scaled } from '../money.ts'
import type { Offer } from './port.ts'

/** Optional lines that are wanted, by id, each with how much of it; a decimal string. */
export type Choice = Record<string, string>

/** As the CRM has it. */
export const choiceOf = ({ lines }: Offer): Choice =>
  Object.fromEntries(lines.filter(it => it.optional && it.chosen && it.id).map(it => [it.id, it.quantity]))

/**
 * The offer with this choice, at the CRM's prices and rounded as the CRM rounds. Throws Invalid for a line that cannot be
 * chosen and for a quantity that nobody can deliver.
 */
export function chosen(offer: Offer, choice: Choice): Offer {
  const sum = arithmeticOf(offer)
  if (!sum) throw new Invalid({ choice: ['Nothing of this can be chosen.'] }, choice)
  const optional = new Map(offer.lines.flatMap(it => (it.optional && it.id ? [[it.id, it] as const] : [])))
  for (const [id, quantity] of Object.entries(choice)) {
    const line = optional.get(id)
    if (!line) throw new Invalid({ choice: ['This option is not there any more. Look at the offer again.'] }, choice)
    if (!deliverable(quantity, line))
      throw new Invalid(
        { [`quantity.${id}`]: ['Type a number above zero, with as many decimals as are offered.'] },
        choice,
      )
  }
  const lines = offer.lines.map(line => {
    if (!line.optional || !line.id) return line
    const quantity = choice[line.id] ?? line.quantity
    return { ...line, quantity, chosen: line.id in choice, total: lineTotal({ ...line, quantity }, offer.total) }
  })
  const sums = sum(lines)
  return { ...offer, lines, sums, total: sums.total }
}

/** The same where each line may be left out: those that cost something, and come to what the CRM says. */
export const opened = (offer: Offer): Offer => ({
  ...offer,
  lines: offer.lines.map(it => (leavable(it, offer) ? { ...it, optional: true, chosen: true } : it)),
})

const leavable = (it: Line, { total }: Offer) =>
  !it.optional && it.id !== undefined && positive(it.total) && lineTotal(it, total).amount === it.total.amount

const positive = ({ amount }: Money) => scaled(amount, 6) > 0n

/** As it is signed: what was offered as a whole and is kept is no option. Throws Invalid where nothing is left to pay. */
export function closed(choice: Offer, offered: Offer): Offer {
  if (!positive(choice.total)) throw new Invalid({ choice: ['Choose at least one line, or decline.'] }, {})
  const lines = choice.lines.map((it, at) =>
    it.chosen ? { ...it, optional: offered.lines[at]?.optional ?? true } : it,
  )
  return { ...choice, lines }
}

/** Whether something of it is optional, and what we calculate for the CRM's own choice is what the CRM says. */
export const choosable = (offer: Offer) =>
  offer.lines.some(it => it.optional && it.id) && arithmeticOf(offer) !== undefined

type Arithmetic = (lines: Line[]) => Sums

/** CRMs round tax for each rate or for each line: the way that gives this CRM's own sums; none, if neither does. */
function arithmeticOf(offer: Offer): Arithmetic | undefined {
  if (offer.lines.some(it => it.optional && it.id && lineTotal(it, offer.total).amount !== it.total.amount))
    return undefined
  const same = (sums: Sums) => JSON.stringify(plain(sums)) === JSON.stringify(plain(offer.sums))
  return [perRate, perLine].map(way => sumsOf(offer, way)).find(it => same(it(offer.lines)))
}

const plain = ({ discount, net, taxes, total }: Sums) => [
  ...[discount?.amount.amount, net.amount, total.amount],
  taxes.map(it => [it.percent, it.amount.amount]),
]

type Rounding = (lines: Line[], left: bigint, scale: number) => { net: bigint; tax: bigint }[]

/** `left` is what the discount on the whole leaves, in parts of 10^6. */
const perRate: Rounding = (lines, left, scale) => {
  const net = divide(lines.reduce((sum, it) => sum + scaled(it.total.amount, scale), 0n) * left, million)
  return [{ net, tax: divide(net * scaled(lines[0]?.tax ?? '0', 6), 100n * million) }]
}

const perLine: Rounding = (lines, left, scale) =>
  lines.map(it => {
    const net = divide(scaled(it.total.amount, scale) * left, million)
    return { net, tax: divide(net * scaled(it.tax ?? '0', 6), 100n * million) }
  })

const sumsOf =
  (offer: Offer, round: Rounding): Arithmetic =>
  lines => {
    const { currency, amount } = offer.total
    const scale = decimals(amount)
    const money = (it: bigint): Money => ({ amount: text(it, scale), currency })
    const counted = lines.filter(it => !it.optional || it.chosen)
    const percent = offer.sums.discount?.percent
    const left = million - (percent ? scaled(percent, 4) : 0n)
    const rates = [...Map.groupBy(counted, it => trimmed(it.tax ?? '0'))]
      .map(([rate, its]) => ({ rate, parts: round(its, left, scale) }))
      .sort((a, b) => Number(b.rate) - Number(a.rate))
    const add = (of: 'net' | 'tax', those = rates) =>
      those.flatMap(it => it.parts).reduce((sum, it) => sum + it[of], 0n)
    const [net, tax] = [add('net'), add('tax')]
    const before = counted.reduce((sum, it) => sum + scaled(it.total.amount, scale), 0n)
    return {
      discount: percent ? { percent, amount: money(before - net) } : null,
      net: money(net),
      taxes: rates.filter(it => it.rate !== '0').map(it => ({ percent: it.rate, amount: money(add('tax', [it])) })),
      total: money(net + tax),
    }
  }

function lineTotal({ quantity, price, discount }: Line, like: Money): Money {
  const scale = decimals(like.amount)
  const exact = scaled(quantity, 6) * scaled(price.amount, 6) * (million - scaled(discount ?? '0', 4))
  return { amount: text(divide(exact, 10n ** BigInt(18 - scale)), scale), currency: like.currency }
}

/** Above zero, below a million, and as whole as what is offered. */
const deliverable = (quantity: string, line: Line) =>
  /^\d{1,6}(\.\d{1,3})?$/.test(quantity) &&
  Number(quantity) > 0 &&
  decimals(trimmed(quantity)) <= decimals(trimmed(line.quantity))

const million = 1_000_000n
const trimmed = (it: string) => (it.includes('.') ? it.replace(/\.?0+$/, '') : it)

function text(value: bigint, places: number): string {
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0')
  const cut = digits.length - places
  return `${value < 0n ? '-' : ''}${digits.slice(0, cut)}${places ? `.${digits.slice(cut)}` : ''}`
}

/** Half away from zero, as PostgreSQL rounds numeric. */
function divide(value: bigint, by: bigint): bigint {
  const half = ((value < 0n ? -value : value) * 2n + by) / (by * 2n)
  return value < 0n ? -half : half
}
