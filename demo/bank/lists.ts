import { noSuch } from './errors.ts'
import { integer, moment, type Range, text } from './params.ts'

/** The parameters of every list. */
export const paging = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
}

export const dated = { ...paging, created: moment }

interface Paging {
  limit?: number
  starting_after?: string
  ending_before?: string
}

export interface Listed<T> {
  object: 'list'
  data: T[]
  has_more: boolean
  url: string
}

export const listOf = <T>(data: T[], { url, more = false }: { url: string; more?: boolean }): Listed<T> => ({
  object: 'list',
  data,
  has_more: more,
  url,
})

/** One page of a list that is newest first. `starting_after` goes to older ones, `ending_before` to newer ones. */
export function page<T extends { id: string }>(all: T[], paging: Paging, url: string, what = 'object'): Listed<T> {
  const { limit = 10, starting_after, ending_before } = paging
  const place = (id: string, param: string) => {
    const index = all.findIndex(each => each.id === id)
    if (index < 0) throw noSuch(what, id, param, 400)
    return index
  }
  if (ending_before !== undefined) {
    const end = place(ending_before, 'ending_before')
    const start = Math.max(0, end - limit)
    return listOf(all.slice(start, end), { url, more: start > 0 })
  }
  const start = starting_after === undefined ? 0 : place(starting_after, 'starting_after') + 1
  return listOf(all.slice(start, start + limit), { url, more: all.length > start + limit })
}

/** Everything of a table, newest first, created within the range. */
export function newestFirst<T extends { created: number }>(table: Record<string, T>, range: Range = {}): T[] {
  const { gt = -1, gte = 0, lt = Number.POSITIVE_INFINITY, lte = Number.POSITIVE_INFINITY } = range
  const within = ({ created }: T) => created > gt && created >= gte && created < lt && created <= lte
  return Object.values(table).filter(within).reverse()
}
