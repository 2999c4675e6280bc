import { z } from 'zod'

/** A list's filter. The port defines each sort order. */
export interface ListFilter<Status extends string, Sort extends string> {
  status?: Status
  /** Part of a number or title, or an amount. */
  search?: string
  sort: Sort
  /** The `next` token of the page before. */
  after?: string
  size: number
}

/** A search text, without NUL characters, which PostgreSQL cannot store. */
export const words = z
  .string()
  .max(100)
  .transform(it => it.replaceAll('\0', '').trim())

/** Returns the zod schema of a list's filter. It never fails: an unknown value becomes the default. */
export const filterOf = <Status extends string, Sort extends string>(its: {
  statuses: readonly Status[]
  sorts: readonly [Sort, ...Sort[]]
}) =>
  z.object({
    status: z.enum(its.statuses).optional().catch(undefined),
    search: words
      .transform(it => it || undefined)
      .optional()
      .catch(undefined),
    sort: z.enum(its.sorts).catch(its.sorts[0]),
    after: z.string().max(4_000).optional().catch(undefined),
    size: z.coerce.number().int().min(1).max(100).catch(20),
  })

/** Returns the query string of the same list with some values changed; defaults are left out. */
export function listAddress(filter: object, change: object): string {
  const entries = Object.entries({ ...filter, after: undefined, ...change })
  const kept = entries.filter(([name, value]) => value != null && !(name === 'size' && value === 20))
  const search = new URLSearchParams(kept.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return search && `?${search}`
}
