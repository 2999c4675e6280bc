import { amount } from '../../../src/crm/mapping/documents.ts'
import { upToThousand } from '../../../src/crm/mapping/listing.ts'
import type { Ask } from '../../../src/crm/mapping/section.ts'
import { param } from '../../../src/crm/mapping/sql.ts'
import type { Overview } from '../port.ts'
import type { Compiled } from './compiled.ts'

type Asked = { since: string[]; monthsFrom: string }

/** Of all of a customer's invoices, in one statement. */
export async function overviewOf(
  ask: Ask,
  its: Compiled,
  scope: Record<string, unknown>,
  asked?: Asked,
): Promise<Overview> {
  const { relation } = its
  const [row] = await ask(
    `with ${openOf(its)},
     waiting as (
       select currency, balance, due, case when balance > 0 then ${param('today')}::date - due else 0 end as late
       from open where balance <> 0),
     totals as (
       select currency, sum(balance) as due, sum(balance) filter (where late > 0) as overdue,
              sum(balance) filter (where late <= 0) as current,
              sum(balance) filter (where late between 1 and 30) as "1-30",
              sum(balance) filter (where late between 31 and 60) as "31-60",
              sum(balance) filter (where late between 61 and 90) as "61-90",
              sum(balance) filter (where late > 90) as "over-90"
       from waiting group by currency)
     select
       ${upToThousand(relation, 'true')} as all,
       ${upToThousand(relation, 'd.paid')} as paid_count,
       (select count(*)::int from waiting where balance > 0) as open,
       (select count(*)::int from waiting where late > 0) as overdue,
       (select min(due)::text from waiting where balance > 0) as oldest,
       (select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'due', due::text, 'overdue', overdue::text,
           'current', current::text, '1-30', "1-30"::text, '31-60', "31-60"::text, '61-90', "61-90"::text,
           'over-90', "over-90"::text) order by due desc), '[]') from totals) as totals,
       ${its.credit ? creditSums(its.credit) : 'null'} as credit,
       ${asked ? periods(its) : `'[]'::jsonb`} as periods,
       ${asked ? months(its) : `'[]'::jsonb`} as months`,
    { ...scope, since: asked?.since, from: asked?.monthsFrom },
  )
  const amounts = (name: string) =>
    row.totals.filter((it: any) => it[name]).map((it: any) => amount(it[name], it.currency))
  return {
    counts: { all: row.all, open: row.open, overdue: row.overdue, paid: row.paid_count },
    due: amounts('due'),
    overdue: amounts('overdue'),
    oldestDueOn: row.oldest,
    ...(row.credit ? { credit: row.credit } : {}),
    ageing: (['current', '1-30', '31-60', '61-90', 'over-90'] as const).map(age => ({ age, amounts: amounts(age) })),
    periods: row.periods,
    months: row.months.map((it: any) => ({
      month: it.month,
      invoiced: amount(it.invoiced, it.currency),
      paid: amount(it.paid, it.currency),
    })),
  }
}

/** What the CRM calls open, with what is left. Settlements are summed for all of it at once. */
function openOf({ relation, bySettlements }: Compiled): string {
  if (!bySettlements)
    return `open as (select d.currency, d.left as balance, d.due from ${relation} where d.open offset 0)`
  const settled = bySettlements.map(one => `select d.id, x.amount from documents d cross join lateral ${one} x`)
  return `documents as materialized (select d.id, d.currency, d.total, d.due from ${relation} where d.open),
     settled as (select id, sum(amount) as amount from (${settled.join(' union all ')}) parts group by id),
     open as (
       select d.currency, d.total - coalesce(s.amount, 0) as balance, d.due
       from documents d left join settled s on s.id = d.id)`
}

/** Credit by currency, the largest first; currencies without any are left out. */
const creditSums = (credit: string) => `
  (select coalesce(jsonb_agg(jsonb_build_object('amount', k.amount::text, 'currency', k.currency) order by k.amount desc), '[]')
   from ${credit} k where k.amount > 0)`

/** Since each date that is asked for: what was invoiced and what was paid, in each currency. */
const periods = ({ relation, payments }: Compiled) => `
  (select jsonb_agg(jsonb_build_object('since', s.since, 'invoiced', coalesce(i.totals, '[]'), 'paid', coalesce(m.totals, '[]')) order by s.at)
   from unnest(${param('since')}::date[]) with ordinality s(since, at)
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as totals
       from (select d.currency, sum(d.total) as amount from ${relation} where not d.cancelled and d.sent >= s.since group by 1) totals) i
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as totals
       from (select d.currency, sum(y.amount) as amount
             from (select d.id, d.currency from ${relation} offset 0) d
               cross join lateral (select y.amount from ${payments} y where y."on" >= s.since offset 0) y
             group by 1) totals) m)`

/** By month and currency. */
const months = ({ relation, payments }: Compiled) => `
  (select coalesce(jsonb_agg(jsonb_build_object('month', month, 'currency', currency, 'invoiced', invoiced::text,
                                                'paid', paid::text) order by month, currency), '[]')
   from (select to_char("on", 'YYYY-MM') as month, currency, sum(invoiced) as invoiced, sum(paid) as paid
         from (select d.sent as "on", d.currency, d.total as invoiced, 0 as paid
               from ${relation} where not d.cancelled and d.sent >= ${param('from')}::date
               union all
               select y."on", d.currency, 0, y.amount
               from (select d.id, d.currency from ${relation} offset 0) d
                 cross join lateral (select y."on", y.amount from ${payments} y where y."on" >= ${param('from')}::date offset 0) y) moves
         group by 1, 2) months)`
