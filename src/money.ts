import { z } from 'zod'

/** `amount` is an exact decimal in the currency's major unit, never a float. `currency` is its ISO 4217 code. */
export const Money = z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/), currency: z.string().regex(/^[A-Z]{3}$/) })
export type Money = z.infer<typeof Money>

/** Whether one is more than the other, to the last decimal; of two currencies nobody can say, so it is. */
export function above(it: Money, other: Money): boolean {
  const places = Math.max(decimals(it.amount), decimals(other.amount))
  return it.currency !== other.currency || scaled(it.amount, places) > scaled(other.amount, places)
}

/** How many decimals a currency has. */
export const decimalsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2

export const decimals = (amount: string): number => amount.split('.')[1]?.length ?? 0

/** As a whole number of 10^-places; what is finer is cut off. */
export function scaled(value: string, places: number): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value) ?? []
  return BigInt(`${sign ?? ''}${whole ?? 0}${fraction.slice(0, places).padEnd(places, '0')}`)
}
