import { z } from 'zod'
import type { Customer } from '../../src/crm/crm.ts'
import { money } from '../../src/crm/mapping/amounts.ts'
import { addressee, documentRelation } from '../../src/crm/mapping/document-relation.ts'
import { amount } from '../../src/crm/mapping/documents.ts'
import { listed, searching, sortedFirst } from '../../src/crm/mapping/listing.ts'
import type { CrmMap, PaymentsMap } from '../../src/crm/mapping/map.ts'
import { belongs, checked, customerValues } from '../../src/crm/mapping/owned.ts'
import {
  day,
  hintIndex,
  keyOfType,
  type Place,
  placeOf,
  type Reader,
  same,
  text,
} from '../../src/crm/mapping/reader.ts'
import { recordingOf, recordWith } from '../../src/crm/mapping/recording.ts'
import { type Ask, mapped } from '../../src/crm/mapping/section.ts'
import { methodOf } from '../../src/crm/mapping/settlements.ts'
import { param } from '../../src/crm/mapping/sql.ts'
import { NotFound } from '../../src/http/errors.ts'
import { methods, type Payments } from './port.ts'
import { questions } from './questions.ts'

/** How a map reads payments. */
export default mapped<Payments>({
  name: 'payments',
  compile: (reader, map) => (map.payments ? payments(reader, map, map.payments) : undefined),
  questions,
})

const columns = `d.id::text, d."on"::text as "on", d.amount::text as amount, d.currency, d.method, d.reference, d.payer, d.shares`

const shown = 'd.share is not null'
const newest = 'order by d.paid_at desc, d.id desc'

const Method = z.enum(methods).catch('other')

function payments(reader: Reader, map: CrmMap, it: PaymentsMap) {
  const y = placeOf(reader, it, 'y')
  const amounts = money(y, it)
  const on = day(y, it.on)
  const key = y.type(y.key)
  hintIndex(y, it, it.client, [it.on, y.key], 'lists of payments')
  const parts = it.amount === 'parts' && typeof it.invoice === 'object'
  const own = parts ? 'null::numeric' : amounts.of(y, it.amount)
  const relation = `(select b.*, b.share -> 'shares' as shares, b.share ->> 'numbers' as numbers,
      ${parts ? `(b.share ->> 'total')::numeric` : 'b.own'} as amount,
      ${parts ? `b.share ->> 'currency'` : 'b.own_currency'} as currency
    from (
      select ${y.column(y.key)} as id, ${on.date} as "on", ${on.raw} as paid_at, ${own} as own,
        ${amounts.currency} as own_currency, ${methodOf(y, it)} as method, ${text(y, it.reference)} as reference,
        ${text(y, it.payer)} as payer, ${shareOf(reader, map, it, y, own)} as share
      from ${y.from}${amounts.join} where ${belongs(reader, map, y, it)} and ${y.rows} and ${on.raw} is not null) b) d`
  const to = addressee(reader, map, 'null::text')
  const recording = recordingOf(reader, map, it)
  const year = `d."on" between make_date(${param('year')}::int, 1, 1) and make_date(${param('year')}::int, 12, 31)`

  return (ask: Ask, customer: Customer): Payments => {
    const scope = customerValues(customer)
    return {
      ...(recording && { record: recordWith(recording, ask, scope) }),

      async list({ year: wanted, method, search, after, size }) {
        const found = searching(search, ['d.reference', 'd.payer', 'd.numbers'], 'd.amount')
        const { items, next } = await listed(ask, {
          ...{ relation, columns, key, after, size },
          parts: [{ of: 'true', checkedLast: shown, by: 'd.paid_at', type: on.type, down: true }],
          where: [...(wanted ? [year] : []), ...(method ? [`d.method = ${param('method')}`] : []), ...found.where],
          values: { ...scope, year: wanted, method, ...found.values },
        })
        return { items: items.map(payment), next }
      },

      async years() {
        const latest = (more: string) =>
          `(select d.paid_at, d."on" from ${sortedFirst(`${relation} where ${more}`, newest)} where ${shown} ${newest} limit 1)`
        const rows = await ask(
          `with recursive years as (
             ${latest('true')}
             union all
             select it.paid_at, it."on" from years cross join lateral ${latest(`d."on" < date_trunc('year', years."on")::date`)} it)
           select extract(year from "on")::int as year from years limit 20`,
          scope,
        )
        return rows.map(row => row.year)
      },

      async find(id) {
        const [row] = await ask(
          `select ${columns}, ${to} as addressee from ${relation} where d.id = ${checked('id', keyOfType(key).cast)} and ${shown}`,
          { ...scope, id },
        )
        if (!row) throw new NotFound()
        return { ...payment(row), from: row.addressee ?? [] }
      },
    }
  }
}

/**
 * The invoices that a payment pays, as this customer sees them: shares, their numbers, total and currency. Null for one
 * that belongs to nothing that is shown: it is not shown.
 */
function shareOf(reader: Reader, map: CrmMap, it: PaymentsMap, y: Place, whole: string): string {
  const nothing = `'{"shares": []}'::jsonb`
  if (!it.invoice || !map.invoices) return nothing
  const document = documentRelation(reader, map, map.invoices, 'invoices')
  const d: Place = { ...document.place, alias: 'd', column: () => 'd.id' }
  const share = (part: string) =>
    `jsonb_build_object('id', d.id::text, 'number', d.number, 'title', d.title, 'amount', (${part})::text)`
  if (typeof it.invoice === 'string')
    return `case when ${y.column(it.invoice)} is null then ${nothing} else (
      select jsonb_build_object('shares', jsonb_build_array(${share(whole)}), 'numbers', d.number)
      from ${document.relation({})} where ${same(y, it.invoice, d, document.place.key)}) end`
  const a = placeOf(reader, it.invoice, 'a')
  const part = document.amounts.of(a, it.invoice.amount, 'd.currency')
  return `(
    select jsonb_build_object('shares', coalesce(jsonb_agg(${share(part)} order by d.sent, d.id), '[]'),
      'numbers', string_agg(d.number, ' '), 'total', sum(${part}), 'currency', min(d.currency))
    from ${a.from} join ${document.relation({})} on ${same(a, it.invoice.invoice, d, document.place.key)}
    where ${same(a, it.invoice.payment, y, y.key)} and ${a.rows}
    having ${it.amount === 'parts'} is false or count(*) > 0)`
}

const payment = (row: any) => ({
  id: row.id,
  on: row.on,
  amount: amount(row.amount, row.currency),
  method: Method.parse(row.method),
  reference: row.reference,
  payer: row.payer,
  invoices: row.shares.map((it: any) => ({ ...it, amount: amount(it.amount, row.currency) })),
})
