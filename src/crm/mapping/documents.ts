import Big from 'big.js'
import { decimals, type Money } from '../../platform/money.ts'
import type { Line, Totals } from '../document.ts'

export const amount = (value: string, currency: string): Money => ({ amount: value, currency })

/** Rows of lines as a section shows them: a heading is the group of those that follow it. */
export function lines(rows: any[], currency: string, selection = false): Line[] {
  let heading: string | null = null
  return rows.flatMap(row => {
    if (row.heading) {
      heading = row.title
      return []
    }
    return [
      {
        ...(selection ? { id: row.id, tax: row.tax ?? '0' } : {}),
        group: row.group ?? heading,
        title: row.title,
        details: row.details,
        quantity: row.quantity,
        unit: row.unit,
        price: amount(row.price, currency),
        discount: Number(row.discount) ? row.discount : null,
        total: amount(row.total, currency),
        optional: row.optional,
        chosen: row.chosen,
      },
    ]
  })
}

/** Totals from the lines. If the tax rates do not add up to the total, tax is one amount. */
export function totals(row: any): Totals {
  const { currency, total } = row
  const net: string = row.net ?? row.lines_total ?? total
  const off = row.lines_total === null ? Big(0) : cut(row.lines_total).minus(cut(net))
  const percent = Number(row.discount) ? trimmed(row.discount) : ratio(off, cut(row.lines_total ?? '0'))
  const tax = cut(total).minus(cut(net))
  const rated = row.taxes.reduce((sum: Big, it: { amount: string }) => sum.plus(cut(it.amount)), Big(0)).eq(tax)
  const taxes: { percent: string | null; amount: string }[] = rated
    ? row.taxes
    : tax.eq(0)
      ? []
      : [{ percent: null, amount: text(tax, total) }]
  const discount = { percent, amount: amount(text(off, total), currency) }
  return {
    discount: !row.cumulative && (off.gt(0) || Number(row.discount)) ? discount : null,
    ...(row.cumulative && off.gt(0) ? { previous: discount.amount } : {}),
    net: amount(net, currency),
    taxes: taxes.map(it => ({ percent: it.percent, amount: amount(it.amount, currency) })),
    total: amount(total, currency),
  }
}

/** A CRM may keep more decimals than anybody is billed: what is finer than the fourth is cut off. */
const cut = (value: string): Big => Big(value).round(4, Big.roundDown)

/** With as many decimals as another amount has. */
const text = (value: Big, like: string): string => value.round(decimals(like), Big.roundDown).toFixed(decimals(like))

const trimmed = (value: string) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value)

/** In per cent. */
const ratio = (part: Big, of: Big): string =>
  of.gt(0) ? part.div(of).times(100).round(2, Big.roundDown).toString() : '0'
