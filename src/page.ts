import { z } from 'zod'

/** A keyset page. `next` is opaque outside the port that made it, and null on the last page. */
export interface Page<T> {
  items: T[]
  next: string | null
}

export const pageOf = <T>(item: z.ZodType<T>) => z.object({ items: z.array(item), next: z.string().nullable() })

/** Expects `size + 1` rows, the last of which only says that there are more. */
export function page<T>(rows: T[], size: number, key: (row: T) => unknown): Page<T> {
  const items = rows.slice(0, size)
  const last = rows.length > size ? items.at(-1) : undefined
  return { items, next: last ? Buffer.from(JSON.stringify(key(last))).toString('base64url') : null }
}

/** The key a token was made of; undefined, which is the first page, for any other text. */
export function keyOf<T>(token: string | undefined, shape: z.ZodType<T>): T | undefined {
  if (!token) return undefined
  try {
    return shape.parse(JSON.parse(Buffer.from(token, 'base64url').toString()))
  } catch {
    return undefined
  }
}
