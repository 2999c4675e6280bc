import { account, addressee, lineColumns, taxes } from './sql.ts'

/**
 * What this client may know of: no draft and nothing deleted. The workspace is compared as text so that PostgreSQL does
 * not take an index of whole workspaces beside that of the client: with a million invoices that was 7 times as slow.
 */
const mine = `p.workspace_id::text = $1 and p.client_id = $2 and p.state <> 'draft' and p.deleted_at is null`
/** Of a void one nothing is left to pay. */
const balance = `(case when p.state = 'void' then p.balance * 0 else p.balance end)::text`
/** As the index of open invoices has it; said so that no index of states is taken beside it. */
const toPay = `p.balance > 0 and p.state not in ('draft', 'paid', 'void')`

const lineNames = { group: 'group_title', title: 'title', quantity: 'qty', price: 'unit_price' }

/** `$3` is today. */
const summary = `
  p.id, p.ref_no as number, p.subject as title, p.grand_total::text as total, ${balance} as balance,
  p.currency_code as currency, p.issued_on::text as "sentOn", p.due_on::text as "dueOn",
  case when p.state = 'void' then 'cancelled' when not (${toPay}) then 'paid'
       when p.due_on < $3::date then 'overdue' else 'open' end as status`

const statuses = {
  open: toPay,
  overdue: `${toPay} and p.due_on < $3::date`,
  paid: `p.state <> 'void' and not (${toPay})`,
  cancelled: `p.state = 'void'`,
}

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

export type Sort = keyof typeof sorts
export type Status = keyof typeof statuses

interface Part {
  of: string
  rank: string
  order: string
  after?: typeof newer
}

/** `$4` is the size, `$5` to `$7` the last row's part, rank and id, `$8` and `$9` what is searched. */
export const listSql = (sort: Sort, status: Status | undefined, search: boolean) => `
  select * from (${sorts[sort].map((part, at) => partOf(part, at, status, search)).join('\nunion all\n')}) parts
  order by part, key, id desc limit $4`

function partOf(part: Part, at: number, status: Status | undefined, search: boolean) {
  const { rank, order } = part
  const later = part.after ? part.after('$6::numeric', '$7::int') : `(${rank}, -p.id) > ($6::numeric, -$7::int)`
  return `
  (select ${summary}, ${at} as part, ${rank} as key, (${rank})::text as rank
   from public.invoices p
   where ${mine} and ${part.of} and ${status ? statuses[status] : 'true'}
     ${search ? `and ${found('$8', '$9')}` : ''}
     and ($5 < ${at} or $5 = ${at} and ($6::numeric is null or ${later}))
   order by ${order} limit $4)`
}

const found = (text: string, amount: string) =>
  `(p.ref_no ilike ${text} or p.subject ilike ${text} or p.grand_total::text like ${amount})`

/** `$4` and `$5` are what is searched. */
export const countsSql = `select ${Object.entries({ all: 'true', ...statuses })
  .filter(([status]) => status !== 'cancelled')
  .map(
    ([status, of]) => `(select count(*)::int from (
     select from public.invoices p where ${mine} and $3::date is not null and ${of} and ${found('$4', '$5')} limit 1001) few) as "${status}"`,
  )
  .join(', ')}`

/** `$4` and `$5` are the dates of `periods` and `months`, where those are asked for. */
export const overviewSql = (detailed: boolean) => `
  with waiting as (
    select p.currency_code as currency, p.balance, p.due_on, $3::date - p.due_on as late
    from public.invoices p where ${mine} and ${toPay}),
  totals as (${totalsByAge})
  select
    (select count(*)::int from (select from public.invoices p where ${mine} limit 1001) few) as all,
    (select count(*)::int
     from (select from public.invoices p where ${mine} and ${statuses.paid} limit 1001) few) as paid_count,
    (select count(*)::int from waiting) as open,
    (select count(*)::int from waiting where late > 0) as overdue,
    (select min(due_on)::text from waiting) as oldest,
    (select coalesce(jsonb_agg(jsonb_build_object('currency', currency, 'due', due::text, 'overdue', overdue::text,
        'current', current::text, '1-30', "1-30"::text, '31-60', "31-60"::text, '61-90', "61-90"::text,
        'over-90', "over-90"::text) order by due desc), '[]') from totals) as totals,
    ${detailed ? periods : `'[]'::jsonb`} as periods,
    ${detailed ? months : `'[]'::jsonb`} as months`

/** What is due in each currency, and how late it is. */
const totalsByAge = `
    select currency, sum(balance) as due, sum(balance) filter (where late > 0) as overdue,
           sum(balance) filter (where late <= 0) as current,
           sum(balance) filter (where late between 1 and 30) as "1-30",
           sum(balance) filter (where late between 31 and 60) as "31-60",
           sum(balance) filter (where late between 61 and 90) as "61-90",
           sum(balance) filter (where late > 90) as "over-90"
    from waiting group by currency`

/** Since each date of `$4`: what was invoiced and what was paid, in each currency. A void one was never invoiced. */
const periods = `
  (select jsonb_agg(jsonb_build_object('since', d.since, 'invoiced', coalesce(i.totals, '[]'),
                                       'paid', coalesce(y.totals, '[]')) order by d.at)
   from unnest($4::date[]) with ordinality d(since, at)
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as totals
       from (select p.currency_code as currency, sum(p.grand_total) as amount
             from public.invoices p where ${mine} and p.state <> 'void' and p.issued_on >= d.since group by 1) totals) i
     cross join lateral (
       select jsonb_agg(jsonb_build_object('amount', amount::text, 'currency', currency) order by amount desc) as totals
       from (select p.currency, sum(y.amount) as amount
             from (select p.id, p.currency_code as currency from public.invoices p where ${mine} offset 0) p
               cross join lateral (
                 select y.amount from public.payments y where y.invoice_id = p.id and y.paid_on >= d.since offset 0) y
             group by 1) totals) y)`

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

/** Invoices, credit notes and payments in the order of a statement. */
const moves = `
    select p.issued_on as on, 1 as rank, 'invoice' as kind, p.ref_no as number, p.grand_total as amount, p.id, p.ref_no,
           p.subject, p.currency_code as currency, p.id as its
    from public.invoices p where ${mine} and p.state <> 'void'
    union all
    select n.issued_on, 2, 'credit note', n.ref_no, -n.grand_total, p.id, p.ref_no, p.subject, p.currency_code, n.id
    from public.invoices p join public.credit_notes n on n.invoice_id = p.id and n.state = 'issued'
    where ${mine} and p.state <> 'void'
    union all
    select y.paid_on, 3, 'payment', p.ref_no, -y.amount, p.id, p.ref_no, p.subject, p.currency_code, y.id
    from public.invoices p join public.payments y on y.invoice_id = p.id where ${mine} and p.state <> 'void'`

/** From `$4` until `$5`, with the last entry of each currency before that. */
export const statementSql = (most: number) => `
  with moves as (${moves}),
  running as (
    select *, sum(amount) over (partition by currency order by "on", rank, its) as balance from moves)
  select currency, "on"::text, kind, number, id::text, ref_no, subject, amount::text, balance::text,
         "on" < $4::date as before
  from running
  where "on" <= $5::date and ("on" >= $4::date or (currency, "on", rank, its) in (
    select distinct on (currency) currency, "on", rank, its from running where "on" < $4::date
    order by currency, "on" desc, rank desc, its desc))
    and $3::date is not null
  order by currency, "on", rank, its limit ${most}`

const payments = `
  (select coalesce(jsonb_agg(jsonb_build_object('id', y.id::text, 'on', y.paid_on, 'amount', y.amount::text,
                             'method', y.method, 'payer', y.payer) order by y.paid_on, y.id), '[]')
   from public.payments y where y.invoice_id = p.id)`

const creditNotes = `
  (select coalesce(jsonb_agg(jsonb_build_object('number', n.ref_no, 'on', n.issued_on, 'reason', n.reason,
                             'amount', n.grand_total::text) order by n.issued_on, n.id), '[]')
   from public.credit_notes n where n.invoice_id = p.id and n.state = 'issued')`

/** `$4` is its id. */
export const invoiceSql = `
  select ${summary}, p.po_number, p.remarks, p.reminded_on::text as reminded_on,
    trim_scale(p.discount_pct)::text as discount, p.net_total::text as net,
    (select coalesce(sum(line_total), 0) - p.net_total from public.invoice_lines l
     where l.invoice_id = p.id)::text as taken_off,
    ${addressee}, p.due_on - p.issued_on as term_days,
    ${account} as account,
    (select coalesce(jsonb_agg(jsonb_build_object(${lineColumns(lineNames)}) order by l.position), '[]')
     from public.invoice_lines l where l.invoice_id = p.id) as lines,
    ${payments} as payments,
    ${creditNotes} as credit_notes,
    ${taxes('public.invoice_lines l where l.invoice_id = p.id')}
  from public.invoices p join public.clients c on c.id = p.client_id
  where ${mine} and p.id = $4`
