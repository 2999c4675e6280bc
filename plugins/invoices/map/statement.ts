import { amount } from '../../../src/crm/mapping/documents.ts'
import type { Ask } from '../../../src/crm/mapping/section.ts'
import { param } from '../../../src/crm/mapping/sql.ts'
import { TooMany } from '../../../src/http/errors.ts'
import type { Statement } from '../port.ts'
import type { Compiled } from './compiled.ts'

/** Of a statement, which has an opening for each currency beside them. */
const mostEntries = 10_000

export async function statementOf(
  ask: Ask,
  { relation, payments, credits }: Compiled,
  scope: Record<string, unknown>,
  from: string,
  until: string,
): Promise<Statement[]> {
  const begin = `${param('from')}::date`
  const rows = await ask(
    `with its as materialized (
       select d.id, d.number, d.title, d.currency, d.sent, d.closed_on, d.total, d.balance
       from ${relation} where not d.cancelled),
     explained as (
       select d.sent as "on", 1 as rank, 'invoice' as kind, d.number as its_number, d.total as amount, d.id, d.number,
              d.title, d.currency, d.id::text as its
       from its d
       union all
       select n."on", 2, 'credit note', n.number, -n.amount, d.id, d.number, d.title, d.currency, n.id::text
       from its d cross join lateral ${credits} n
       union all
       select y."on", 3, 'payment', d.number, -y.amount, d.id, d.number, d.title, d.currency, y.id
       from its d cross join lateral ${payments} y),
     settled as (
       select id, sum(amount) as explained, max("on") as last from explained group by id),
     moves as (
       select * from explained
       union all
       select coalesce(d.closed_on, s.last), 4, 'adjustment', d.number, d.balance - s.explained, d.id, d.number, d.title,
              d.currency, d.id::text
       from its d join settled s on s.id = d.id where d.balance <> s.explained),
     running as (
       select *, row_number() over (partition by currency order by "on", rank, length(its), its, id) as at,
              sum(amount) over (partition by currency order by "on", rank, length(its), its, id) as balance from moves)
     select currency, "on"::text, kind, its_number, id::text, number, title, amount::text, balance::text, "on" < ${begin} as before
     from running
     where "on" <= ${param('until')}::date and ("on" >= ${begin} or (currency, at) in (
       select currency, max(at) from running where "on" < ${begin} group by currency))
     order by currency, at limit ${mostEntries + 1000}`,
    { ...scope, from, until },
  )
  if (rows.filter(row => !row.before).length > mostEntries) throw new TooMany()
  return Map.groupBy(rows, row => row.currency as string)
    .entries()
    .map(([currency, its]) => {
      const opening = its.find(it => it.before)?.balance ?? '0.00'
      return {
        opening: amount(opening, currency),
        entries: its
          .filter(it => !it.before)
          .map(it => ({
            on: it.on,
            kind: it.kind,
            number: it.its_number,
            invoice: { id: it.id, number: it.number, title: it.title },
            amount: amount(it.amount, currency),
            balance: amount(it.balance, currency),
          })),
        closing: amount(its.at(-1)?.balance ?? opening, currency),
      }
    })
    .filter(({ opening, entries }) => entries.length > 0 || Number(opening.amount) !== 0)
    .toArray()
}
