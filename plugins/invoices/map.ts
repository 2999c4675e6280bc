import { amount, lines, sums } from '../../src/crm/map/documents.ts'
import { fileOf } from '../../src/crm/map/file.ts'
import { listed, type Part, searching } from '../../src/crm/map/listing.ts'
import type { CrmMap, InvoicesMap } from '../../src/crm/map/map.ts'
import { checked, known } from '../../src/crm/map/owned.ts'
import { dates, type Paper, paper } from '../../src/crm/map/paper.ts'
import { day, keyOfType, type Reader, text, wish } from '../../src/crm/map/reader.ts'
import { type Ask, mapped } from '../../src/crm/map/section.ts'
import { creditsOf, paymentsOf } from '../../src/crm/map/settlements.ts'
import { param } from '../../src/crm/map/sql.ts'
import { accountOf } from '../../src/crm/map/workspaces.ts'
import type { Customer } from '../../src/crm.ts'
import { NotFound } from '../../src/errors.ts'
import { overviewOf } from './map/overview.ts'
import { statementOf } from './map/statement.ts'
import type { Invoices, Summary } from './port.ts'

/** How a map reads invoices. */
export default mapped<Invoices>({
  name: 'invoices',
  compile: (reader, map) => (map.invoices ? invoices(reader, map, map.invoices) : undefined),
})

const today = `${param('today')}::date`

/** Over the relation `d` of a customer's invoices. */
const statuses = {
  open: 'd.to_pay',
  overdue: `d.to_pay and d.due < ${today}`,
  paid: 'd.paid',
  cancelled: 'd.cancelled',
}

const summary = `d.id::text, d.number, d.title, d.total::text as total, d.balance::text as balance, d.currency, d.state as word,
  d.sent::text as "sentOn", d.due::text as "dueOn",
  case when d.cancelled then 'cancelled' when d.paid then 'paid' when d.to_pay and d.due < ${today} then 'overdue'
    when d.to_pay then 'open' else 'other' end as status`

function invoices(reader: Reader, map: CrmMap, it: InvoicesMap) {
  const document = paper(reader, map, it, 'invoices')
  const { place, means, key, sent, amounts } = document
  const payments = paymentsOf(reader, map.payments, place, amounts)
  const credits = creditsOf(reader, it.creditNotes, place, amounts)
  const balance = balanceOf(document, it, { payments, credits })
  const due = it.dueOn ? `coalesce(${day(place, it.dueOn).date}, ${sent.date})` : sent.date
  const toPay = `(${means('open')} and ${balance} > 0)`
  wish(place, it, it.client, [due, place.key], 'invoices to pay', toPay)
  const relation = document.relation({
    ...document.details(),
    balance,
    due,
    to_pay: toPay,
    paid: `(${means('paid')} or ${means('open')} and ${balance} <= 0)`,
    cancelled: it.status ? means('cancelled') : 'false',
    ...dates(place, { reminded_on: it.remindedOn }),
    order_number: text(place, it.orderNumber),
    remarks: text(place, it.remarks),
    reference: text(place, it.reference),
  })
  const account = accountOf(reader, map)
  const whole = document.whole()
  const file = fileOf(reader, it.file, document)
  const newest: Part = { of: 'true', by: 'd.sent_at', type: sent.type, down: true }
  const sorts: Record<string, Part[]> = {
    urgent: [
      { of: 'd.to_pay', by: 'd.due', type: 'date', down: false },
      { ...newest, of: 'not d.to_pay' },
    ],
    newest: [newest],
    amount: [{ of: 'true', by: 'd.total', type: 'numeric', down: true }],
  }
  const compiled = { relation, payments, credits }

  return (ask: Ask, customer: Customer): Invoices => {
    const scope = known(customer)
    return {
      ...file?.(ask, customer),

      async list({ status, search, sort, after, size }) {
        const found = searching(search, ['d.number', 'd.title'], 'd.total')
        const { items, next } = await listed(ask, {
          ...{ relation, columns: summary, key, parts: sorts[sort]!, after, size },
          where: [...(status ? [statuses[status]] : []), ...found.where],
          values: { ...scope, ...found.values },
        })
        return { items: items.map(invoice), next }
      },

      overview: asked => overviewOf(ask, compiled, scope, asked),
      statement: (from, until) => statementOf(ask, compiled, scope, from, until),

      async find(id) {
        const [row] = await ask(
          `select ${summary}, d.order_number, d.remarks, d.reminded_on::text as reminded_on, d.due - d.sent as term_days,
             trim_scale(d.discount)::text as discount, d.net::text as net, ${whole}, ${account} as account,
             (select coalesce(jsonb_agg(jsonb_build_object('id', y.id, 'on', y."on", 'amount', y.amount::text, 'method', y.method,
                'payer', y.payer) order by y."on", y.its), '[]') from ${payments} y) as payments,
             (select coalesce(jsonb_agg(jsonb_build_object('number', n.number, 'on', n."on", 'reason', n.reason,
                'amount', n.amount::text) order by n."on", n.id), '[]') from ${credits} n) as credit_notes
           from ${relation} where d.id = ${checked('id', keyOfType(key).cast)}`,
          { ...scope, id },
        )
        if (!row) throw new NotFound()
        const inCurrency = (one: { amount: string }) => ({ ...one, amount: amount(one.amount, row.currency) })
        return {
          ...invoice(row),
          orderNumber: row.order_number,
          to: row.addressee ?? [],
          termDays: it.dueOn ? row.term_days : null,
          account: row.account,
          remarks: row.remarks,
          lines: lines(row.lines, row.currency),
          sums: sums(row),
          remindedOn: row.reminded_on,
          payments: row.payments.map(inCurrency),
          creditNotes: row.credit_notes.map(inCurrency),
        }
      },
    }
  }
}

function balanceOf(
  { place, amounts, means }: Paper,
  it: InvoicesMap,
  its: { payments: string; credits: string },
): string {
  const total = amounts.of(place, it.total)
  if (typeof it.balance === 'object')
    return `(${[total, ...it.balance.less.map(one => `coalesce(${amounts.of(place, one)}, 0)`)].join(' - ')})`
  if (it.balance === 'payments') {
    const here = (sql: string) =>
      sql.replaceAll('d.id', place.column(place.key)).replaceAll('d.currency', amounts.currency)
    const sum = (sql: string) => `coalesce((select sum(amount) from ${here(sql)} s), 0)`
    return `(${total} - ${sum(its.payments)} - ${sum(its.credits)})`
  }
  if (it.balance) return amounts.of(place, it.balance)
  return `case when ${means('open')} then ${total} else 0 end`
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
