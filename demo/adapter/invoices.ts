import type { Knex } from 'knex'
import { z } from 'zod'
import type { Invoice, Invoices, Overview, Statement, Summary } from '../../plugins/invoices/port.ts'
import { type Customer, keyOf, NotFound, page, query, TooMany } from '../../src/index.ts'
import { countsSql, invoiceSql, listSql, overviewSql, statementSql } from './_invoices.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'
import { amountLike, containing, idOf, line, money, totals } from './sql.ts'

/** Of a statement, without the opening entry of each currency. */
const mostEntries = 10_000

/** The last row's part, rank and id. */
const afterOf = (rank: RegExp) => z.tuple([z.int32().min(0).max(1), z.string().regex(rank), z.int32()])
const dates = afterOf(/^-?\d{1,5}$/)
const afters = { urgent: dates, newest: dates, amount: afterOf(/^-?\d{1,12}(\.\d+)?$/) }

function invoices(db: Knex, { workspace, client, today }: Customer): Invoices {
  const scope = [workspace.id, client.id, today]
  return {
    list: filter => listInvoices(db, scope, filter),
    overview: asked => overview(db, scope, asked),
    counts: search => countFound(db, scope, search),
    statement: (from, until) => statements(db, scope, from, until),
    find: id => findInvoice(db, scope, id),
  }
}

type Scope = readonly string[]

async function listInvoices(db: Knex, scope: Scope, filter: Parameters<Invoices['list']>[0]) {
  const { status, search, sort, after, size } = filter
  const [part, rank, id] = keyOf(after, afters[sort]) ?? [0, null, null]
  const rows = await query(db, {
    name: `crm.invoices.${sort}.${status}.${Boolean(search)}`,
    text: listSql(sort, status, Boolean(search)),
    values: [...scope, size + 1, part, rank, id, ...(search ? [containing(search), amountLike(search)] : [])],
  })
  const { items, next } = page(rows, size, row => [row.part, row.rank, row.id])
  return { items: items.map(invoice), next }
}

async function overview(db: Knex, scope: Scope, asked: Parameters<Invoices['overview']>[0]): Promise<Overview> {
  const [row] = await query(db, {
    name: `crm.invoices.overview.${asked !== undefined}`,
    text: overviewSql(asked !== undefined),
    values: asked ? [...scope, asked.since, asked.monthsFrom] : scope,
  })
  const amounts = (name: string) =>
    row.totals.filter((it: any) => it[name]).map((it: any) => money(it[name], it.currency))
  return {
    counts: { all: row.all, open: row.open, overdue: row.overdue, paid: row.paid_count },
    due: amounts('due'),
    overdue: amounts('overdue'),
    oldestDueOn: row.oldest,
    ageing: ages.map(age => ({ age, amounts: amounts(age) })),
    periods: row.periods,
    months: row.months.map(month),
  }
}

async function countFound(db: Knex, scope: Scope, search: string): Promise<Overview['counts']> {
  const values = [...scope, containing(search), amountLike(search)]
  const [row] = await query(db, { name: 'crm.invoices.counts', text: countsSql, values })
  return row
}

const ages = ['current', '1-30', '31-60', '61-90', 'over-90'] as const

const month = (row: any): Overview['months'][number] => ({
  month: row.month,
  invoiced: money(row.invoiced, row.currency),
  paid: money(row.paid, row.currency),
})

async function statements(db: Knex, scope: Scope, from: string, until: string): Promise<Statement[]> {
  const rows = await query(db, {
    name: 'crm.invoices.statement',
    text: statementSql(mostEntries + 1000),
    values: [...scope, from, until],
  })
  if (rows.filter(row => !row.before).length > mostEntries) throw new TooMany()
  return Map.groupBy(rows, row => row.currency as string)
    .entries()
    .map(([currency, its]) => statement(currency, its))
    .filter(({ opening, entries }) => entries.length > 0 || Number(opening.amount) !== 0)
    .toArray()
}

function statement(currency: string, rows: any[]): Statement {
  const opening = rows.find(it => it.before)?.balance ?? '0.00'
  return {
    opening: money(opening, currency),
    entries: rows.filter(it => !it.before).map(entry),
    closing: money(rows.at(-1)?.balance ?? opening, currency),
  }
}

const entry = (row: any): Statement['entries'][number] => ({
  on: row.on,
  kind: row.kind,
  number: row.number,
  invoice: { id: row.id, number: row.ref_no, title: row.subject },
  amount: money(row.amount, row.currency),
  balance: money(row.balance, row.currency),
})

async function findInvoice(db: Knex, scope: Scope, id: string): Promise<Invoice> {
  const [row] = await query(db, { name: 'crm.invoice', text: invoiceSql, values: [...scope, idOf(id)] })
  if (!row) throw new NotFound()
  const inCurrency = (it: { amount: string }) => ({ ...it, amount: money(it.amount, row.currency) })
  return {
    ...invoice(row),
    orderNumber: row.po_number,
    to: row.to,
    termDays: row.term_days,
    account: row.account,
    remarks: row.remarks,
    lines: row.lines.map((it: any) => line(it, row.currency)),
    sums: totals(row),
    remindedOn: row.reminded_on,
    payments: row.payments.map(inCurrency),
    creditNotes: row.credit_notes.map(inCurrency),
  }
}

const invoice = (row: any): Summary => ({
  id: String(row.id),
  number: row.number,
  title: row.title,
  total: money(row.total, row.currency),
  balance: money(row.balance, row.currency),
  status: row.status,
  sentOn: row.sentOn,
  dueOn: row.dueOn,
})

const part: AdapterPart = {
  reads: of('invoices', 'invoice_lines', 'payments', 'credit_notes', 'workspaces', 'clients', 'contacts'),
  port: invoices,
}
export default part
