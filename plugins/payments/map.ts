import { z } from 'zod'
import { money } from '../../src/crm/map/amounts.ts'
import { amount } from '../../src/crm/map/documents.ts'
import { listed, searching } from '../../src/crm/map/listing.ts'
import type { CrmMap, PaymentsMap } from '../../src/crm/map/map.ts'
import { belongs, checked, known } from '../../src/crm/map/owned.ts'
import { addressee, paper } from '../../src/crm/map/paper.ts'
import { day, keyOfType, type Place, placeOf, type Reader, same, text, wish } from '../../src/crm/map/reader.ts'
import { type Ask, mapped } from '../../src/crm/map/section.ts'
import { methodOf } from '../../src/crm/map/settlements.ts'
import { param } from '../../src/crm/map/sql.ts'
import type { Customer } from '../../src/crm.ts'
import { NotFound } from '../../src/errors.ts'
import { methods, type Payments } from './port.ts'

/** How a map reads payments. */
export default mapped<Payments>({
  name: 'payments',
  compile: (reader, map) => (map.payments ? payments(reader, map, map.payments) : undefined),
})

const columns = `d.id::text, d."on"::text as "on", d.amount::text as amount, d.currency, d.method, d.reference, d.payer, d.shares`

const Method = z.enum(methods).catch('other')

function payments(reader: Reader, map: CrmMap, it: PaymentsMap) {
  const y = placeOf(reader, it, 'y')
  const amounts = money(y, it)
  const on = day(y, it.on)
  const key = y.type(y.key)
  wish(y, it, it.client, [it.on, y.key], 'lists of payments')
  const relation = `(select ${y.column(y.key)} as id, ${on.date} as "on", ${on.raw} as paid_at, ${amounts.of(y, it.amount)} as amount,
      ${amounts.currency} as currency, ${methodOf(y, it)} as method, ${text(y, it.reference)} as reference, ${text(y, it.payer)} as payer,
      s.shares, s.numbers
    from ${y.from} ${shares(reader, map, it, y, amounts.of(y, it.amount))}
    where ${belongs(reader, map, y, it)} and ${y.rows} and ${on.raw} is not null) d`
  const to = addressee(reader, map, 'null::text')
  const year = `d."on" between make_date(${param('year')}::int, 1, 1) and make_date(${param('year')}::int, 12, 31)`

  return (ask: Ask, customer: Customer): Payments => {
    const scope = known(customer)
    return {
      async list({ year: wanted, method, search, after, size }) {
        const found = searching(search, ['d.reference', 'd.payer', 'd.numbers'], 'd.amount')
        const { items, next } = await listed(ask, {
          ...{ relation, columns, key, after, size },
          parts: [{ of: 'true', by: 'd.paid_at', type: on.type, down: true }],
          where: [...(wanted ? [year] : []), ...(method ? [`d.method = ${param('method')}`] : []), ...found.where],
          values: { ...scope, year: wanted, method, ...found.values },
        })
        return { items: items.map(payment), next }
      },

      async years() {
        const latest = (more: string) =>
          `(select d.paid_at, d."on" from ${relation} where ${more} order by d.paid_at desc, d.id desc limit 1)`
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
          `select ${columns}, ${to} as addressee from ${relation} where d.id = ${checked('id', keyOfType(key).cast)}`,
          { ...scope, id },
        )
        if (!row) throw new NotFound()
        return { ...payment(row), from: row.addressee ?? [] }
      },
    }
  }
}

/** The invoices that a payment pays, as this customer sees them. One that belongs to nothing that is shown is not shown. */
function shares(reader: Reader, map: CrmMap, it: PaymentsMap, y: Place, whole: string): string {
  if (!it.invoice || !map.invoices)
    return `cross join lateral (select '[]'::jsonb as shares, null::text as numbers offset 0) s`
  const document = paper(reader, map, map.invoices, 'invoices')
  const d: Place = { ...document.place, alias: 'd', column: () => 'd.id' }
  const share = (part: string) =>
    `jsonb_build_object('id', d.id::text, 'number', d.number, 'title', d.title, 'amount', (${part})::text)`
  if (typeof it.invoice === 'string') {
    const direct = `select jsonb_build_array(${share(whole)}) as shares, d.number as numbers from ${document.relation({})} where ${same(y, it.invoice, d, document.place.key)} offset 0`
    const onAccount = `select '[]'::jsonb, null where ${y.column(it.invoice)} is null`
    return `cross join lateral (${`(${direct}) union all (${onAccount})`}) s`
  }
  const a = placeOf(reader, it.invoice, 'a')
  const part = document.amounts.of(a, it.invoice.amount, 'd.currency')
  return `cross join lateral (
    select coalesce(jsonb_agg(${share(part)} order by d.sent, d.id), '[]') as shares, string_agg(d.number, ' ') as numbers
    from ${a.from} join ${document.relation({})} on ${same(a, it.invoice.invoice, d, document.place.key)}
    where ${same(a, it.invoice.payment, y, y.key)} and ${a.rows} offset 0) s`
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
