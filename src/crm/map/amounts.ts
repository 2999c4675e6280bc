import { kindOf } from '../catalogue.ts'
import type { Amounts } from './map.ts'
import { expect, type Place, text } from './reader.ts'

/** Currencies whose smallest unit is not a hundredth (ISO 4217). */
const whole = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ')
const thousandths = 'BHD IQD JOD KWD LYD OMR TND'.split(' ')

/** Money of a row, exact, in the major unit; `of` may be told of a column of another table in the same currency. */
export interface Money {
  currency: string
  of(place: Place, column: string, currency?: string): string
}

export function money(place: Place, { currency, inCents }: Amounts): Money {
  const code = `upper(btrim(${text(place, currency)}))`
  const constant = typeof currency === 'object' && 'value' in currency ? currency.value : undefined
  const digitsOf = (sql: string) =>
    constant
      ? String(whole.includes(constant) ? 0 : thousandths.includes(constant) ? 3 : 2)
      : `case when ${sql} in (${list(whole)}) then 0 when ${sql} in (${list(thousandths)}) then 3 else 2 end`

  return {
    currency: code,
    of(from, column, its = code) {
      const digits = digitsOf(its)
      expect(from, column, ['integer', 'number'], 'money')
      const sql = from.column(column)
      const type = from.type(column)
      if (inCents) return `round(${sql}::numeric / 10::numeric ^ (${digits}), ${digits})`
      const scale = /^numeric\(\d+,(\d+)\)$/.exec(type)?.[1]
      if ((scale && Number(scale) <= 3) || kindOf(type) === 'integer') return sql
      return `round(${sql}::numeric, ${digits})`
    },
  }
}

const list = (its: string[]) => its.map(it => `'${it}'`).join(', ')

/** A quantity, a rate or a percentage, as it stands. */
export function decimal(place: Place, column: string | undefined): string {
  if (!column) return 'null::numeric'
  expect(place, column, ['integer', 'number'], 'a number')
  return `${place.column(column)}::numeric`
}
