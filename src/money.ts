import { z } from 'zod'

/** `amount` is an exact decimal in the currency's major unit, never a float. `currency` is its ISO 4217 code. */
export const Money = z.object({ amount: z.string().regex(/^-?\d+(\.\d+)?$/), currency: z.string().regex(/^[A-Z]{3}$/) })
export type Money = z.infer<typeof Money>
