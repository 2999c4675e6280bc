import type { Knex } from 'knex'
import { z } from 'zod'
import type { Invoices, Summary } from '../../plugins/invoices/port.ts'
import { type Customer, keyOf, NotFound, page, query, TooMany } from '../../src/index.ts'
import { addressee, amountLike, containing, idOf, line, lineColumns, money, sums, taxes } from './sql.ts'

/**
 * What this client may know of: no draft and nothing deleted. The workspace is compared as text so that PostgreSQL does
 * not take an index of whole workspaces beside that of the client: with a million invoices that was 7 times as slow.
 */
const mine = `p.workspace_id::text = $1 and p.client_id = $2 and p.state <> 'draft' and p.deleted_at is null`
/** As the index of open invoices has it; said so that no index of states is taken beside it. */
const toPay = `p.balance > 0 and p.state not in ('draft', 'paid', 'void')`

const lineNames = { group: 'group_title', title: 'title', quantity: 'qty', price: 'unit_price' }

/** `$3` is today. */
const summary = `
  p.id, p.ref_no as number, p.subject as title, p.grand_total::text as total, p.balance::text as balance,
  p.currency_code as currency, p.issued_on::text as "sentOn", p.due_on::text as "dueOn",
  case when p.state = 'void' then 'cancelled' when not (${toPay}) then 'paid'
       when p.due_on < $3::date then 'overdue' else 'open' end as status`

const statuses = {
  open: toPay,
  overdue: `${toPay} and p.due_on < $3::date`,
  paid: `p.state <> 'void' and not (${toPay})`,
  cancelled: `p.state = 'void'`,
}

/** Of a statement, which has an opening for each currency beside them. */
const mostEntries = 10_000

/** A list in parts, each in an order that an index of the CRM has, or that sorts few rows. Dates and amounts ascend. */
const sorts = {
  urgent: [
    { of: toPay, rank: `(p.due_on - date '2000-01-01')`, order: 'p.due_on, p.id desc' },
    {
      of: `not (${toPay})`,
      rank: `-(p.issued_on - date '2000-01-01')`,
      order: 'p.issued_on desc, p.id desc',
      after: newer,
    },
  ],
  newest: [
    { of: 'true', rank: `-(p.issued_on - date '2000-01-01')`, order: 'p.issued_on desc, p.id desc', after: newer },
  ],
  amount: [{ of: 'true', rank: '-p.grand_total', order: 'p.grand_total desc, p.id desc' }],
}
/** The same as (rank, -id) > …, said so that the index (client_id, issued_on desc, id desc) starts there. */
function newer(rank: string, id: string) {
  return `(p.issued_on, p.id) < (date '2000-01-01' - ${rank}::int, ${id})`
}

/** The last row's part, rank and id. */
const afterOf = (rank: RegExp) => z.tuple([z.int32().min(0).max(1), z.string().regex(rank), z.int32()])
const dates = afterOf(/^-?\d{1,5}$/)
const afters = { urgent: dates, newest: dates, amount: afterOf(/^-?\d{1,12}(\.\d+)?$/) }

export function invoices(db: Knex, { workspace, client, today }: Customer): Invoices {
  const scope = [workspace.id, client.id, today]

  return {
    async list({ status, search, sort, after, size }) {
      const [part, rank, id] = keyOf(after, afters[sort]) ?? [0, null, null]
      const rows = await query(db, {
        name: `crm.invoices.${sort}.${status}.${Boolean(search)}`,
        text: `select * from (${sorts[sort].map((it, at) => partOf(it, at, status, Boolean(search))).join('\nunion all\n')}) parts
               order by part, key, id desc limit $4`,
        values: [...scope, size + 1, part, rank, id, ...(search ? [containing(search), amountLike(search)] : [])],
      })
      const { items, next } = page(rows, size, row => [row.part, row.rank, row.id])
      return { items: items.map(invoice), next }
    },

    async overview(asked) {
      const [row] = await query(db, {
        name: `crm.invoices.overview.${asked !== undefined}`,
        text: `
          with waiting as (
            select p.currency_code as currency, p.balance, p.due_on, $3::date - p.due_on as late
            from public.invoices p where ${mine} and ${toPay}),
          sums as (
            select currency, sum(balance) as due, sum(balance) filter (where late > 0) as overdue,
                   sum(balance) filter (where late <= 0) as current,
                   sum(balance) filter (where late between 1 and 30) as "1-30",
                   sum(balance) filter (where late between 31 and 60) as "31-60",
                   sum(balance) filter (where late between 61 and 90) as "61-90",
                   sum(balance) filter (where late > 90) as "over-90"
            from waiting group by currency)
          select
            (select count(*)::int from (select from public.invoices p where ${mine} limit 1001) few) as all,
            (select count(*)::int from (select from public.invoices p where ${mine} and ${statuses.paid} limit 1001) few) as paid_count,
            (select count(*)::int from waiting) as open,
            (select count(*)::int from waiting where late > 0) as overdue,
            (select min(due_on)::text from waiting) as oldest,
            (select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'due', due::text, 'overdue', overdue::text,
                'current', current::text, '1-30', "1-30"::text, '31-60', "31-60"::text, '61-90', "61-90"::text,
                'over-90', "over-90"::text) order by due desc), '[]') from sums) as sums,
            ${asked ? periods : `'[]'::jsonb`} as periods,
            ${asked ? months : `'[]'::jsonb`} as months`,
        values: asked ? [...scope, asked.since, asked.monthsFrom] : scope,
      })
      const amounts = (name: string) =>
        row.sums.filter((it: any) => it[name]).map((it: any) => money(it[name], it.currency))
      return {
        counts: { all: row.all, open: row.open, overdue: row.overdue, paid: row.paid_count },
        due: amounts('due'),
        overdue: amounts('overdue'),
        oldestDueOn: row.oldest,
        ageing: (['current', '1-30', '31-60', '61-90', 'over-90'] as const).map(age => ({
          age,
          amounts: amounts(age),
        })),
        periods: row.periods,
        months: row.months.map((it: any) => ({
          month: it.month,
          invoiced: money(it.invoiced, it.currency),
          paid: money(it.paid, it.currency),
        })),
      }
    },

    async statement(from, until) {
      const rows = await query(db, {
        name: 'crm.invoices.statement',
        text: `
          with moves as (
            select p.issued_on as on, 1 as rank, 'invoice' as kind, p.ref_no as number, p.grand_total as amount, p.id, p.ref_no,
                   p.subject, p.currency_code as currency, p.id as its
            from public.invoices p where ${mine} and p.state <> 'void'
            union all
            select n.issued_on, 2, 'credit note', n.ref_no, -n.grand_total, p.id, p.ref_no, p.subject, p.currency_code, n.id
            from public.invoices p join public.credit_notes n on n.invoice_id = p.id and n.state = 'issued'
            where ${mine} and p.state <> 'void'
            union all
            select y.paid_on, 3, 'payment', p.ref_no, -y.amount, p.id, p.ref_no, p.subject, p.currency_code, y.id
            from public.invoices p join public.payments y on y.invoice_id = p.id where ${mine} and p.state <> 'void'),
          running as (
            select *, sum(amount) over (partition by currency order by "on", rank, its) as balance from moves)
          select currency, "on"::text, kind, number, id::text, ref_no, subject, amount::text, balance::text, "on" < $4::date as before
          from running
          where "on" <= $5::date and ("on" >= $4::date or (currency, "on", rank, its) in (
            select distinct on (currency) currency, "on", rank, its from running where "on" < $4::date
            order by currency, "on" desc, rank desc, its desc))
            and $3::date is not null
          order by currency, "on", rank, its limit ${mostEntries + 1000}`,
        values: [...scope, from, until],
      })
      if (rows.filter(row => !row.before).length > mostEntries) throw new TooMany()
      return Map.groupBy(rows, row => row.currency as string)
        .entries()
        .map(([currency, its]) => {
          const opening = its.find(it => it.before)?.balance ?? '0.00'
          return {
            opening: money(opening, currency),
            entries: its
              .filter(it => !it.before)
              .map(it => ({
                on: it.on,
                kind: it.kind,
                number: it.number,
                invoice: { id: it.id, number: it.ref_no, title: it.subject },
                amount: money(it.amount, currency),
                balance: money(it.balance, currency),
              })),
            closing: money(its.at(-1)?.balance ?? opening, currency),
          }
        })
        .filter(({ opening, entries }) => entries.length > 0 || Number(opening.amount) !== 0)
        .toArray()
    },

    async find(id) {
      const [row] = await query(db, {
        name: 'crm.invoice',
        text: `select ${summary}, p.po_number, p.remarks, p.reminded_on::text as reminded_on,
                 trim_scale(p.discount_pct)::text as discount, p.net_total::text as net,
                 (select coalesce(sum(line_total), 0) - p.net_total from public.invoice_lines l
                  where l.invoice_id = p.id)::text as taken_off,
                 ${addressee}, p.due_on - p.issued_on as term_days,
                 (select jsonb_build_object('holder', w.legal_name, 'bank', w.bank_name, 'iban', w.iban, 'number', w.account_no,
                    'code', w.bank_code, 'bic', w.bic, 'reference', p.ref_no)
                  from public.workspaces w
                  where w.id = p.workspace_id and coalesce(w.iban, w.account_no) is not null) as account,
                 (select coalesce(jsonb_agg(jsonb_build_object(${lineColumns(lineNames)}) order by l.position), '[]')
                  from public.invoice_lines l where l.invoice_id = p.id) as lines,
                 (select coalesce(jsonb_agg(jsonb_build_object('id', y.id::text, 'on', y.paid_on, 'amount', y.amount::text,
                                            'method', y.method, 'payer', y.payer) order by y.paid_on, y.id), '[]')
                  from public.payments y where y.invoice_id = p.id) as payments,
                 (select coalesce(jsonb_agg(jsonb_build_object('number', n.ref_no, 'on', n.issued_on, 'reason', n.reason,
                                            'amount', n.grand_total::text) order by n.issued_on, n.id), '[]')
                  from public.credit_notes n where n.invoice_id = p.id and n.state = 'issued') as credit_notes,
                 ${taxes('public.invoice_lines l where l.invoice_id = p.id')}
               from public.invoices p join public.clients c on c.id = p.client_id
               where ${mine} and p.id = $4`,
        values: [...scope, idOf(id)],
      })
      if (!row) throw new NotFound()
      const amount = (it: { amount: string }) => ({ ...it, amount: money(it.amount, row.currency) })
      return {
        ...invoice(row),
        orderNumber: row.po_number,
        to: row.to,
        termDays: row.term_days,
        account: row.account,
        remarks: row.remarks,
        lines: row.lines.map((it: any) => line(it, row.currency)),
        sums: sums(row),
        remindedOn: row.reminded_on,
        payments: row.payments.map(amount),
        creditNotes: row.credit_notes.map(amount),
      }
    },
  }
}

interface Part {
  of: string
  rank: string
  order: string
  after?: typeof newer
}

/** `$4` is the size, `$5` to `$7` the last row's part, rank and id, `$8` and `$9` what is searched. */
const partOf = (
  { of, rank, order, after }: Part,
  at: number,
  status: keyof typeof statuses | undefined,
  search: boolean,
) => `
  (select ${summary}, ${at} as part, ${rank} as key, (${rank})::text as rank
   from public.invoices p
   where ${mine} and ${of} and ${status ? statuses[status] : 'true'}
     ${search ? 'and (p.ref_no ilike $8 or p.subject ilike $8 or p.grand_total::text like $9)' : ''}
     and ($5 < ${at} or $5 = ${at} and ($6::numeric is null
          or ${after ? after('$6::numeric', '$7::int') : `(${rank}, -p.id) > ($6::numeric, -$7::int)`}))
   order by ${order} limit $4)`

/** Since each date of `$4`: what was invoiced and what was paid, in each currency. A void one was never invoiced. */
const periods = `
  (select jsonb_agg(jsonb_build_object('since', d.since, 'invoiced', coalesce(i.sums, '[]'), 'paid', coalesce(y.sums, '[]')) order by d.at)
   from unnest($4::date[]) with ordinality d(since, at)
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as sums
       from (select p.currency_code as currency, sum(p.grand_total) as amount
             from public.invoices p where ${mine} and p.state <> 'void' and p.issued_on >= d.since group by 1) sums) i
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as sums
       from (select p.currency, sum(y.amount) as amount
             from (select p.id, p.currency_code as currency from public.invoices p where ${mine} offset 0) p
               cross join lateral (
                 select y.amount from public.payments y where y.invoice_id = p.id and y.paid_on >= d.since offset 0) y
             group by 1) sums) y)`

/** From `$5` on, by month and currency. */
const months = `
  (select coalesce(jsonb_agg(jsonb_build_object('month', month, 'currency', currency, 'invoiced', invoiced::text,
                                                'paid', paid::text) order by month, currency), '[]')
   from (select to_char("on", 'YYYY-MM') as month, currency, sum(invoiced) as invoiced, sum(paid) as paid
         from (select p.issued_on as "on", p.currency_code as currency, p.grand_total as invoiced, 0 as paid
               from public.invoices p where ${mine} and p.state <> 'void' and p.issued_on >= $5::date
               union all
               select y.paid_on, p.currency, 0, y.amount
               from (select p.id, p.currency_code as currency from public.invoices p where ${mine} offset 0) p
                 cross join lateral (
                   select y.paid_on, y.amount from public.payments y
                   where y.invoice_id = p.id and y.paid_on >= $5::date offset 0) y) moves
         group by 1, 2) months)`

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
