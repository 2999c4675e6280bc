import Big from 'big.js'
import type { Customer } from '../../src/crm/crm.ts'
import { findChangesBy } from '../../src/crm/mapping/changes.ts'
import { type DocumentRelation, dates, documentRelation } from '../../src/crm/mapping/document-relation.ts'
import { amount, lines, totals } from '../../src/crm/mapping/documents.ts'
import { fileOf } from '../../src/crm/mapping/file.ts'
import { holdersOf } from '../../src/crm/mapping/holders.ts'
import { countsOf, listed, type Part, searching } from '../../src/crm/mapping/listing.ts'
import type { CrmMap, InvoicesMap } from '../../src/crm/mapping/map.ts'
import { checked, customerValues } from '../../src/crm/mapping/owned.ts'
import { conditionOf, day, hintIndex, keyOfType, type Reader, text } from '../../src/crm/mapping/reader.ts'
import { type Ask, mapped } from '../../src/crm/mapping/section.ts'
import { creditsOf, leftOf, paidOf, paymentsOf, type Settlements } from '../../src/crm/mapping/settlements.ts'
import { param } from '../../src/crm/mapping/sql.ts'
import { accountOf } from '../../src/crm/mapping/workspaces.ts'
import { NotFound } from '../../src/http/errors.ts'
import { decimals, type Money } from '../../src/platform/money.ts'
import { creditOf } from './map/credit.ts'
import { overviewOf } from './map/overview.ts'
import { questions } from './map/questions.ts'
import { statementOf } from './map/statement.ts'
import type { Invoice, Invoices, Summary } from './port.ts'

/** How a map reads invoices. */
export default mapped<Invoices>({
  name: 'invoices',
  compile: (reader, map) => (map.invoices ? invoices(reader, map, map.invoices) : undefined),
  holders: (reader, map) => (map.invoices ? holdersOf(reader, map, map.invoices) : undefined),
  changes: (reader, map) => findChangesBy(reader, map, map.invoices),
  questions,
})

const today = `${param('today')}::date`

/** Over the relation `d` of a customer's invoices. What is left is `summed` where it is made of other tables' rows. */
const statusesOf = (summed: boolean) => {
  const toPay = summed ? { of: 'd.open', checkedLast: 'd.left > 0' } : { of: 'd.to_pay' }
  return {
    open: toPay,
    overdue: { ...toPay, of: `${toPay.of} and d.due < ${today}` },
    paid: { of: 'd.paid' },
    cancelled: { of: 'd.cancelled' },
  }
}

/** Those that the list offers as filters. */
const counted = { all: 'true', open: 'd.to_pay', overdue: `d.to_pay and d.due < ${today}`, paid: 'd.paid' }

const summary = `
  d.id::text, d.number, d.title, d.total::text as total, d.balance::text as balance, d.currency, d.state as word,
  d.sent::text as "sentOn", d.due::text as "dueOn",
  case when d.cancelled then 'cancelled' when d.paid then 'paid' when d.to_pay and d.due < ${today} then 'overdue'
    when d.to_pay then 'open' else 'other' end as status`

function invoices(reader: Reader, map: CrmMap, it: InvoicesMap) {
  const compiled = compileInvoices(reader, map, it)

  return (ask: Ask, customer: Customer): Invoices => {
    const scope = customerValues(customer)
    return {
      ...compiled.file?.(ask, customer),
      list: filter => listInvoices(ask, compiled, scope, filter),
      overview: asked => overviewOf(ask, compiled, scope, asked),
      counts: search => countsOf(ask, { relation: compiled.relation, statuses: counted, ...found(search, scope) }),
      statement: (from, until) => statementOf(ask, compiled, scope, from, until),
      find: id => findInvoice(ask, compiled, scope, id),
    }
  }
}

/** Parts of SQL that the port's questions share, put together once. */
type CompiledInvoices = ReturnType<typeof compileInvoices>

function compileInvoices(reader: Reader, map: CrmMap, it: InvoicesMap) {
  const document = documentRelation(reader, map, it, 'invoices')
  const { place, amounts, key, sent } = document
  const payments = paymentsOf(reader, map.payments, place, amounts)
  const credits = creditsOf(reader, it.creditNotes, place, amounts)
  const paid = paidOf(reader, map.payments, place, amounts)
  const relation = relationOf(document, it, { paid, credits })
  const account = accountOf(reader, map)
  const credit = it.credit && creditOf(reader, map, it.credit)
  const whole = document.whole()
  const bySettlements = it.balance === 'payments' ? [paid, credits] : undefined
  return {
    key,
    relation,
    bySettlements,
    payments,
    credits,
    account,
    credit,
    whole,
    file: fileOf(reader, it.file, document),
    partsOf: partsBy(sent.type, statusesOf(bySettlements !== undefined)),
    hasDueDate: it.dueOn !== undefined,
  }
}

/** All invoices of a customer, as `d`. */
function relationOf(document: DocumentRelation, it: InvoicesMap, settlements: Settlements): string {
  const { place, means, sent } = document
  const left = leftOf(document, it, settlements)
  const open = means('open')
  const due = it.dueOn ? `coalesce(${day(place, it.dueOn).date}, ${sent.date})` : sent.date
  const toPay = `(${open} and ${left} > 0)`
  hintIndex(place, it, it.client, [due, place.key], 'invoices to pay', it.balance === 'payments' ? open : toPay)
  return document.relation({
    ...document.details(),
    // Sums are looked up only for what the CRM calls open: nothing is left of anything else.
    balance: `case when ${open} then ${left} else ${document.amounts.of(place, it.total)} * 0 end`,
    due,
    to_pay: toPay,
    open,
    left,
    paid: `(${means('paid')} or ${open} and ${left} <= 0)`,
    cancelled: it.status ? means('cancelled') : 'false',
    ...dates(place, { reminded_on: it.remindedOn, closed_on: it.closedOn }),
    cumulative: it.cumulative ? conditionOf(place, it.cumulative) : 'false',
    order_number: text(place, it.orderNumber),
    remarks: text(place, it.remarks),
    reference: text(place, it.reference),
  })
}

/** A status is one part: its condition is never asked twice of a row. */
function partsBy(sentType: string, statuses: ReturnType<typeof statusesOf>) {
  const newest = { by: 'd.sent_at', type: sentType, down: true }
  const byDueDate = { by: 'd.due', type: 'date', down: false }
  return (sort: Filter['sort'], status: Filter['status']): Part[] => {
    const which = status ? statuses[status] : { of: 'true' }
    if (sort === 'amount') return [{ ...which, by: 'd.total', type: 'numeric', down: true }]
    if (sort === 'newest') return [{ ...which, ...newest }]
    if (status) return [{ ...which, ...(status === 'open' || status === 'overdue' ? byDueDate : newest) }]
    return [
      { ...statuses.open, ...byDueDate },
      { of: 'not d.to_pay', ...newest },
    ]
  }
}

type Filter = Parameters<Invoices['list']>[0]

type Scope = ReturnType<typeof customerValues>

/** What a search finds of this customer's. */
function found(search: string | undefined, scope: Scope) {
  const { where, values } = searching(search, ['d.number', 'd.title'], 'd.total')
  return { where, values: { ...scope, ...values } }
}

async function listInvoices(ask: Ask, compiled: CompiledInvoices, scope: Scope, filter: Filter) {
  const { relation, key, partsOf } = compiled
  const { status, search, sort, after, size } = filter
  const { items, next } = await listed(ask, {
    relation,
    columns: summary,
    key,
    parts: partsOf(sort, status),
    after,
    size,
    ...found(search, scope),
  })
  return { items: items.map(invoice), next }
}

async function findInvoice(ask: Ask, compiled: CompiledInvoices, scope: Scope, id: string): Promise<Invoice> {
  const [row] = await ask(invoiceSql(compiled), { ...scope, id })
  if (!row) throw new NotFound()
  const inCurrency = (one: { amount: string }) => ({ ...one, amount: amount(one.amount, row.currency) })
  return {
    ...invoice(row),
    orderNumber: row.order_number,
    to: row.addressee ?? [],
    termDays: compiled.hasDueDate ? row.term_days : null,
    account: row.account,
    remarks: row.remarks,
    lines: lines(row.lines, row.currency),
    sums: totals(row),
    remindedOn: row.reminded_on,
    payments: row.payments.map(inCurrency),
    creditNotes: row.credit_notes.map(inCurrency),
    adjustment: adjustmentOf(row),
  }
}

/** What neither payments nor credit notes explain of an invoice that the CRM calls settled, wholly or in part. */
function adjustmentOf({ status, total, balance, currency, payments, credit_notes: credits }: any): Money | null {
  if (status === 'cancelled') return null
  const settled = [...payments, ...credits].reduce((sum: Big, it) => sum.plus(it.amount), Big(0))
  const rest = Big(total).minus(balance).minus(settled)
  return rest.eq(0) ? null : amount(rest.toFixed(decimals(total)), currency)
}

function invoiceSql(compiled: CompiledInvoices): string {
  const { account, credits, key, payments, relation, whole } = compiled
  return `
  select ${summary}, d.order_number, d.remarks, d.reminded_on::text as reminded_on, d.due - d.sent as term_days,
    trim_scale(d.discount)::text as discount, d.net::text as net, d.cumulative, ${whole}, ${account} as account,
    (select coalesce(jsonb_agg(jsonb_build_object('id', y.id, 'on', y."on", 'amount', y.amount::text,
                               'method', y.method, 'payer', y.payer) order by y."on", y.its), '[]')
     from ${payments} y) as payments,
    (select coalesce(jsonb_agg(jsonb_build_object('number', n.number, 'on', n."on", 'reason', n.reason,
                               'amount', n.amount::text) order by n."on", n.id), '[]')
     from ${credits} n) as credit_notes
  from ${relation} where d.id = ${checked('id', keyOfType(key).cast)}`
}

const invoice = (row: any): Summary => ({
  id: row.id,
  number: row.number,
  title: row.title,
  total: amount(row.total, row.currency),
  balance: amount(row.balance, row.currency),
  status: row.status,
  ...(row.status === 'other' ? { word: row.word } : {}),
  sentOn: row.sentOn,
  dueOn: row.dueOn,
})
