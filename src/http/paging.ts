import { z } from 'zod'

/** A page of a list, by keyset. Only the port that made `next` can read it; it is null on the last page. */
export interface Page<T> {
  items: T[]
  next: string | null
}

/** Returns the zod schema of a page of these items. */
export const pageOf = <T>(item: z.ZodType<T>) => z.object({ items: z.array(item), next: z.string().nullable() })

/** Makes a page of `size + 1` rows; the last row only shows that there are more. */
export function page<T>(rows: T[], size: number, key: (row: T) => unknown): Page<T> {
  const items = rows.slice(0, size)
  const last = rows.length > size ? items.at(-1) : undefined
  return { items, next: last ? Buffer.from(JSON.stringify(key(last))).toString('base64url') : null }
}

/** Returns the key in a page token; undefined, for the first page, if the token is invalid. */
export function keyOf<T>(token: string | undefined, shape: z.ZodType<T>): T | undefined {
  if (!token) return undefined
  try {
    return shape.parse(JSON.parse(Buffer.from(token, 'base64url').toString()))
  } catch {
    return undefined
  }
}
