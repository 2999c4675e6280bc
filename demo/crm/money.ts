export type PricedLine = {
  quantity: string
  unitPrice: string
  discount: string
  tax: string
  counts: boolean
}

export type Totals = { net: string; tax: string; gross: string }

export function lineTotal(line: Omit<PricedLine, 'tax' | 'counts'>): string {
  return format(lineCents(line))
}

export function totals(lines: PricedLine[], discount: string | null): Totals {
  const perRate = new Map<bigint, bigint>()
  for (const line of lines.filter(line => line.counts)) {
    const rate = scaled(line.tax, 3)
    perRate.set(rate, (perRate.get(rate) ?? 0n) + lineCents(line))
  }
  const left = 10_000n - scaled(discount ?? '0', 2)
  let net = 0n
  let tax = 0n
  for (const [rate, cents] of perRate) {
    const base = divide(cents * left, 10_000n)
    net += base
    tax += divide(base * rate, 100_000n)
  }
  return { net: format(net), tax: format(tax), gross: format(net + tax) }
}

export function cents(amount: string): bigint {
  return scaled(amount, 2)
}

export function format(cents: bigint): string {
  const digits = abs(cents).toString().padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

function lineCents(line: Omit<PricedLine, 'tax' | 'counts'>): bigint {
  const left = 10_000n - scaled(line.discount, 2)
  return divide(scaled(line.quantity, 3) * scaled(line.unitPrice, 4) * left, 10n ** 9n)
}

function scaled(decimal: string, places: number): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? []
  if (whole === undefined || fraction.length > places)
    throw new RangeError(`not a number of ${places} places: ${decimal}`)
  return BigInt(`${sign}${whole}${fraction.padEnd(places, '0')}`)
}

// half away from zero, as PostgreSQL rounds numeric
function divide(amount: bigint, by: bigint): bigint {
  const half = (abs(amount) * 2n + by) / (by * 2n)
  return amount < 0n ? -half : half
}

function abs(amount: bigint): bigint {
  return amount < 0n ? -amount : amount
}
