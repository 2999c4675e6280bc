import Big from 'big.js'
import { kindOf } from '../catalogue.ts'
import type { Amounts } from './map.ts'
import { expectType, type Place, text } from './reader.ts'

/** Currencies with other than two decimals (ISO 4217). */
const whole = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ')
const thousandths = 'BHD IQD JOD KWD LYD OMR TND'.split(' ')

/** How many decimals a currency has. */
const digitsIn = (currency: string) => (whole.includes(currency) ? 0 : thousandths.includes(currency) ? 3 : 2)

/** An amount as a whole number of its currency's smallest unit. */
export const inCents = ({ amount, currency }: { amount: string; currency: string }): string =>
  Big(amount)
    .times(10 ** digitsIn(currency))
    .toFixed(0)

/** Money of a row, exact, in the major unit; `of` may be told of a column of another table in the same currency. */
export interface Money {
  currency: string
  /** Stands after FROM, where the currency is kept in another table. */
  join: string
  of(place: Place, column: string, currency?: string): string
  /** A price of one, with as many decimals as it has. */
  price(place: Place, column: string, currency?: string): string
}

export function money(place: Place, { currency, inCents: cents }: Amounts): Money {
  const own = `upper(btrim(${text(place, currency)}))`
  // Looked up beside the rows, where PostgreSQL remembers it for each key: as a part of each amount it does not.
  const elsewhere = JSON.stringify(currency).includes(' > ')
  const code = elsewhere ? `${place.alias}_currency.code` : own
  const constant = typeof currency === 'object' && 'value' in currency ? currency.value : undefined
  const digitsOf = (sql: string) =>
    constant
      ? String(digitsIn(constant))
      : `case when ${sql} in (${list(whole)}) then 0 when ${sql} in (${list(thousandths)}) then 3 else 2 end`

  return {
    currency: code,
    join: elsewhere ? ` left join lateral (select ${own} as code offset 0) ${place.alias}_currency on true` : '',
    of(from, column, its = code) {
      const digits = digitsOf(its)
      expectType(from, column, ['integer', 'number'], 'money')
      const sql = from.column(column)
      const type = from.type(column)
      if (cents) return `round(${sql}::numeric / 10::numeric ^ (${digits}), ${digits})`
      const scale = /^numeric\(\d+,(\d+)\)$/.exec(type)?.[1]
      if ((scale && Number(scale) <= 3) || kindOf(type) === 'integer') return sql
      return `round(${sql}::numeric, ${digits})`
    },
    price(from, column, its = code) {
      const plain = decimal(from, column)
      const major = cents ? `${plain} / 10::numeric ^ (${digitsOf(its)})` : plain
      // What is finer is noise of a binary number.
      return `trim_scale(round(${major}, 6))`
    },
  }
}

const list = (its: string[]) => its.map(it => `'${it}'`).join(', ')

/** A quantity, a rate or a percentage, as it stands. */
export function decimal(place: Place, column: string | undefined): string {
  if (!column) return 'null::numeric'
  expectType(place, column, ['integer', 'number'], 'a number')
  return `${place.column(column)}::numeric`
}
