import { z } from 'zod'
import type { ListFilter } from '../../http/filter.ts'
import { keyOf, type Page, page, pageOf } from '../../http/paging.ts'
import { checked } from './owned.ts'
import { keyOfType } from './reader.ts'
import type { Ask } from './section.ts'
import { param } from './sql.ts'

/** A list is read in parts, each in an order that an index may have, or that sorts few rows. */
export interface Part {
  /** Which rows of the relation `d` stand here. */
  of: string
  /** A condition that is dear to ask: it is asked of rows in their order, until the page is full. */
  checkedLast?: string
  /** By what they are in order, and then by `d.id`. */
  by: string
  type: string
  down: boolean
}

interface Listing {
  relation: string
  columns: string
  /** Type of `d.id`. */
  key: string
  parts: Part[]
  where: string[]
  after: string | undefined
  size: number
  values: Record<string, unknown>
}

/**
 * One page of a list by one statement, continuing after the last row of the previous page. As quick on the last
 * page as on the first.
 */
export async function listed(ask: Ask, it: Listing): Promise<Page<any>> {
  const { cast } = keyOfType(it.key)
  const after = keyOf(it.after, After)
  const begin =
    after && it.parts[after[0]] && fits(it.parts[after[0]]!, after[1]) && keyOfType(it.key).fits(after[2])
      ? after
      : undefined
  const [first, last] = [it.parts[0]!, it.parts.at(-1)!]

  const parts = it.parts.map((part, at) => {
    if (begin && at < begin[0]) return ''
    const { of, checkedLast, by, type, down } = part
    const from =
      begin?.[0] === at
        ? [`(${by}, d.id) ${down ? '<' : '>'} (${param('afterKey')}::${type}, ${checked('afterId', cast)})`]
        : []
    const other = (its: Part) => `null::${its.type}`
    const keys =
      it.parts.length === 1
        ? ''
        : `, ${down ? other(first) : by} as up, ${down ? by : other(last)} as down, ${down ? `null::${cast}` : 'd.id'} as up_id, ${down ? 'd.id' : `null::${cast}`} as down_id`
    const rows = `${it.relation} where ${[of, ...it.where, ...from].join(' and ')}`
    const order = `order by ${by}${down ? ' desc' : ''}, d.id${down ? ' desc' : ''}`
    const asked = checkedLast ? `${sortedFirst(rows, order)} where ${checkedLast}` : rows
    return `(select ${it.columns}, ${at} as part, (${by})::text as key${keys}
      from ${asked} ${order} limit ${limitAfter(at, begin?.[0])})`
  })
  const sql =
    it.parts.length === 1
      ? parts.join('')
      : `with ${parts.flatMap((part, at) => (part ? [`p${at} as materialized ${part}`] : [])).join(',\n')}
    select * from (${parts.flatMap((part, at) => (part ? [`select * from p${at}`] : [])).join(' union all ')}) parts
    order by part, up, up_id, down desc, down_id desc limit ${param('size')}`
  const rows = await ask(sql, { ...it.values, size: it.size + 1, afterKey: begin?.[1], afterId: begin?.[2] })
  return page(rows, it.size, row => [row.part, row.key, String(row.id)])
}

/**
 * The same relation in this order, in which PostgreSQL looks up what is dear for the rows that are asked for alone: it
 * does so after sorting where there is a limit, even one that is never reached.
 */
export const sortedFirst = (rows: string, order: string) => `(select * from ${rows} ${order} limit ${1e9}) d`

/** PostgreSQL does not begin a part for which those before it left no room. */
const limitAfter = (at: number, first = 0) =>
  [
    `${param('size')}::bigint`,
    ...Array.from({ length: at - first }, (_, before) => `(select count(*) from p${first + before})`),
  ].join(' - ')

/** Part, key and id of the last row. */
const After = z.tuple([z.int().min(0).max(5), z.string().max(500), z.string().max(500)])

const moment = /^(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(\.\d{1,6})?([+-]\d\d(:\d\d)?)?$/

/** Whether a text is of the kind that a part is ordered by: tokens come from outside. */
const fits = ({ type }: Part, key: string) =>
  type === 'text'
    ? !key.includes('\0')
    : type === 'numeric'
      ? /^-?\d{1,20}(\.\d{1,10})?$/.test(key)
      : z.iso.date().safeParse(type === 'date' ? key : moment.exec(key)?.[1]).success

/** `%` and `_` are letters here. */
export const containing = (search: string) => `%${search.replace(/[\\%_]/g, '\\$&')}%`

/** "1,200.50" and "1200,50" are meant as 1200.50: an amount is found by how it begins. */
const amountLike = (search: string) => {
  const plain = search
    .replace(/[^\d.,]/g, '')
    .replace(/[.,](?=\d{3}(\D|$))/g, '')
    .replace(',', '.')
  return /^\d+(\.\d*)?$/.test(plain) ? `${plain}%` : ''
}

/** Statuses that are counted beside a list, with the condition of each over `d`. */
export async function countsOf<Status extends string>(
  ask: Ask,
  {
    relation,
    statuses,
    where,
    values,
  }: Pick<Listing, 'relation' | 'where' | 'values'> & { statuses: Record<Status, string> },
): Promise<Record<Status, number>> {
  const counts = Object.entries<string>(statuses).map(
    ([it, of]) => `${upToThousand(relation, [...where, of])} as "${it}"`,
  )
  const [row] = await ask(`select ${counts.join(', ')}`, values)
  return row
}

/** Conditions and values for a search in some texts and an amount. */
export const searching = (search: string | undefined, texts: string[], amount: string) =>
  search
    ? {
        where: [
          `(${[...texts.map(it => `${it} ilike ${param('search')}`), `${amount}::text like ${param('amount')}`].join(' or ')})`,
        ],
        values: { search: containing(search), amount: amountLike(search) },
      }
    : { where: [], values: {} }

/** SQL of how many rows of a relation `d` fit; counting ends at 1,001. */
export const upToThousand = (relation: string, which: string | string[]): string =>
  `(select count(*)::int from (select from ${relation} where ${[which].flat().join(' and ')} limit 1001) few)`

/** A list in every order and with every filter, as `doctor` asks for it; each answer is what the port promises. */
export function questionsOfList<Status extends string, Sort extends string>(
  port: { list(filter: ListFilter<Status, Sort>): Promise<Page<unknown>>; counts?(search: string): Promise<unknown> },
  { statuses, sorts, item }: { statuses: readonly Status[]; sorts: readonly Sort[]; item: z.ZodType },
): Record<string, () => Promise<unknown>> {
  const sort = sorts[0]!
  const list = (filter: Partial<ListFilter<Status, Sort>>) => async () =>
    pageOf(item).parse(await port.list({ sort, size: 20, ...filter }))
  const secondPage = async () => {
    const { next } = await port.list({ sort, size: 1 })
    return next && list({ after: next })()
  }
  return {
    ...Object.fromEntries(sorts.map(it => [`the list in the order ${it}`, list({ sort: it })])),
    ...Object.fromEntries(statuses.map(it => [`the list of what is ${it}`, list({ status: it })])),
    'the second page of the list': secondPage,
    'a search in the list': list({ search: '1' }),
    ...(port.counts ? { 'the counts of a search': () => port.counts!('1') } : {}),
  }
}
