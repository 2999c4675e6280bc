import Big from 'big.js'
import type { Request } from 'express'
import { z } from 'zod'
import type { RequestContext } from '../../src/http/context.ts'
import { decimals, type Money } from '../../src/platform/money.ts'
import type { Statement } from './port.ts'

/** How many entries a page shows: a long statement stays quick to load and to scroll. */
const size = 25

const Shown = z.object({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(1_000).catch(1),
})

type Entry = Statement['entries'][number]

/** The part of a statement that a page shows: one currency, newest entries first. */
export interface StatementPage {
  currency: string
  opening: Money
  closing: Money
  figures: { invoiced: Money; invoices: number; settled: Money; settlements: number }
  entries: Entry[]
  /** The balance above the first entry shown, and below the last one. */
  above: Money
  below: Money
  from: number
  to: number
  all: number
  page: number
  pages: number
}

/** Returns what the address asks for; the first currency and the newest entries if it asks for nothing that exists. */
export function statementPageOf(req: Request<any>, statements: Statement[]): StatementPage | undefined {
  const asked = Shown.parse(req.query)
  const statement = statements.find(it => it.opening.currency === asked.currency) ?? statements[0]
  if (!statement) return undefined
  const { opening, closing } = statement
  const newest = statement.entries.toReversed()
  const pages = Math.max(1, Math.ceil(newest.length / size))
  const page = Math.min(asked.page, pages)
  const start = (page - 1) * size
  const entries = newest.slice(start, start + size)
  return {
    ...{ currency: opening.currency, opening, closing, entries, page, pages },
    figures: figuresOf(statement),
    above: entries[0]?.balance ?? closing,
    below: newest[start + size]?.balance ?? opening,
    from: entries.length ? start + 1 : 0,
    to: start + entries.length,
    all: newest.length,
  }
}

function figuresOf({ opening, entries }: Statement): StatementPage['figures'] {
  const invoices = entries.filter(it => it.kind === 'invoice')
  const others = entries.filter(it => it.kind !== 'invoice')
  const sum = (its: Entry[]): Money => ({
    amount: its.reduce((all, it) => all.plus(it.amount.amount), Big(0)).toFixed(decimals(opening.amount)),
    currency: opening.currency,
  })
  return {
    ...{ invoiced: sum(invoices), invoices: invoices.length },
    ...{ settled: sum(others), settlements: others.length },
  }
}

/** Periods that are one click away: label and plain dates. */
export function usualPeriods({ t, customer }: RequestContext): { label: string; from: string; until: string }[] {
  const { today } = customer
  const year = Number(today.slice(0, 4))
  const quarter = new Date(`${today}T00:00:00Z`)
  quarter.setUTCMonth(quarter.getUTCMonth() - 3)
  return [
    { label: t('This year'), from: `${year}-01-01`, until: today },
    { label: t('Last 3 months'), from: quarter.toISOString().slice(0, 10), until: today },
    { label: String(year - 1), from: `${year - 1}-01-01`, until: `${year - 1}-12-31` },
  ]
}
