import type { Line, Sums } from '../../document.ts'
import type { Money } from '../../money.ts'

export const amount = (value: string, currency: string): Money => ({ amount: value, currency })

/** Rows of lines as a section shows them: a heading is the group of those that follow it. */
export function lines(rows: any[], currency: string, choice = false): Line[] {
  let heading: string | null = null
  return rows.flatMap(row => {
    if (row.heading) {
      heading = row.title
      return []
    }
    return [
      {
        ...(choice ? { id: row.id, tax: row.tax ?? '0' } : {}),
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

/** From what the lines come to, to the total: where the rates do not add up to it, the tax is told in one sum. */
export function sums(row: any): Sums {
  const { currency, total } = row
  const net: string = row.net ?? row.lines_total ?? total
  const off = row.lines_total === null ? 0n : units(row.lines_total) - units(net)
  const percent = Number(row.discount) ? trimmed(row.discount) : ratio(off, units(row.lines_total ?? '0'))
  const tax = units(total) - units(net)
  const rated = row.taxes.reduce((sum: bigint, it: { amount: string }) => sum + units(it.amount), 0n) === tax
  const taxes: { percent: string | null; amount: string }[] = rated
    ? row.taxes
    : tax
      ? [{ percent: null, amount: text(tax, total) }]
      : []
  return {
    discount: off > 0n || Number(row.discount) ? { percent, amount: amount(text(off, total), currency) } : null,
    net: amount(net, currency),
    taxes: taxes.map(it => ({ percent: it.percent, amount: amount(it.amount, currency) })),
    total: amount(total, currency),
  }
}

/** In ten-thousandths, exactly. */
function units(value: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value) ?? []
  return BigInt(`${sign ?? ''}${whole ?? 0}${fraction.slice(0, 4).padEnd(4, '0')}`)
}

/** With as many decimals as another amount has. */
function text(value: bigint, like: string): string {
  const decimals = like.split('.')[1]?.length ?? 0
  const digits = String(value < 0n ? -value : value).padStart(5, '0')
  const fraction = digits.slice(-4).padEnd(decimals, '0').slice(0, decimals)
  return `${value < 0n ? '-' : ''}${digits.slice(0, -4)}${decimals ? `.${fraction}` : ''}`
}

const trimmed = (value: string) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value)
const ratio = (part: bigint, of: bigint) => (of > 0n ? trimmed((Number((part * 10_000n) / of) / 100).toFixed(2)) : '0')
