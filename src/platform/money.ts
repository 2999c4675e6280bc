import Big from 'big.js'
import { z } from 'zod'

/** `amount` is an exact decimal in the currency's major unit, never a float. `currency` is its ISO 4217 code. */
export const Money = z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/), currency: z.string().regex(/^[A-Z]{3}$/) })
export type Money = z.infer<typeof Money>

/** Whether one amount is greater, exactly. True for different currencies, which cannot be compared. */
export const above = (it: Money, other: Money): boolean =>
  it.currency !== other.currency || Big(it.amount).gt(other.amount)

/** How many decimals a currency has. */
export const decimalsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2

export const decimals = (amount: string): number => amount.split('.')[1]?.length ?? 0

/** What is left of one decimal without another, with as many decimals as the first. */
export const subtract = (amount: string, other: string): string => Big(amount).minus(other).toFixed(decimals(amount))
