import { z } from 'zod'
import { keyOf, type Page, page } from '../../page.ts'
import { checked } from './owned.ts'
import { keyOfType } from './reader.ts'
import type { Ask } from './section.ts'
import { param } from './sql.ts'

/** A list is read in parts, each in an order that an index may have, or that sorts few rows. */
export interface Part {
  /** Which rows of the relation `d` stand here. */
  of: string
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

/** One page by one statement, from where the page before ended: as quick far down as on top. */
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
    const { of, by, type, down } = part
    const from =
      begin?.[0] === at
        ? [`(${by}, d.id) ${down ? '<' : '>'} (${param('afterKey')}::${type}, ${checked('afterId', cast)})`]
        : []
    const other = (its: Part) => `null::${its.type}`
    const keys =
      it.parts.length === 1
        ? ''
        : `, ${down ? other(first) : by} as up, ${down ? by : other(last)} as down, ${down ? `null::${cast}` : 'd.id'} as up_id, ${down ? 'd.id' : `null::${cast}`} as down_id`
    return `(select ${it.columns}, ${at} as part, (${by})::text as key${keys}
      from ${it.relation} where ${[of, ...it.where, ...from].join(' and ')}
      order by ${by}${down ? ' desc' : ''}, d.id${down ? ' desc' : ''} limit ${param('size')})`
  })
  const sql =
    it.parts.length === 1
      ? parts.join('')
      : `select * from (${parts.filter(Boolean).join('\nunion all\n')}) parts
    order by part, up, up_id, down desc, down_id desc limit ${param('size')}`
  const rows = await ask(sql, { ...it.values, size: it.size + 1, afterKey: begin?.[1], afterId: begin?.[2] })
  return page(rows, it.size, row => [row.part, row.key, String(row.id)])
}

/** Part, key and id of the last row. */
const After = z.tuple([z.int().min(0).max(5), z.string().max(60), z.string().max(500)])

const moment = /^(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(\.\d{1,6})?([+-]\d\d(:\d\d)?)?$/

/** Whether a text is of the kind that a part is ordered by: tokens come from outside. */
const fits = ({ type }: Part, key: string) =>
  type === 'numeric'
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
