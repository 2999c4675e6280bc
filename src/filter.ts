import { z } from 'zod'

/** What a list may be asked for; a port says what its orders mean. */
export interface ListFilter<Status extends string, Sort extends string> {
  status?: Status
  /** Part of a number or title, or an amount. */
  search?: string
  sort: Sort
  /** The token of the page before, for the one after it. */
  after?: string
  size: number
}

/** What somebody looks for: PostgreSQL has no text with a NUL. */
export const words = z
  .string()
  .max(100)
  .transform(it => it.replaceAll('\0', '').trim())

/** A list's filter never fails: whatever the address bar says, there is a list to show. */
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
    after: z.string().max(500).optional().catch(undefined),
    size: z.coerce.number().int().min(1).max(100).catch(20),
  })

/** The address of the same list with something changed; what is as usual is left out. */
export function listAddress(filter: object, change: object): string {
  const entries = Object.entries({ ...filter, after: undefined, ...change })
  const kept = entries.filter(([name, value]) => value != null && !(name === 'size' && value === 20))
  const search = new URLSearchParams(kept.map(([name, value]): [string, string] => [name, String(value)])).toString()
  return search && `?${search}`
}
