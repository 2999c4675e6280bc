import type { Knex } from 'knex'
import { z } from 'zod'
import type { Payments, Receipt } from '../../plugins/payments/port.ts'
import { Conflict, type Customer, keyOf, NotFound, page, query } from '../../src/index.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'
import { addressee, amountLike, containing, idOf, money } from './sql.ts'

/**
 * Each belongs to one invoice here, which is looked up for each payment in turn: as a plain join PostgreSQL went through
 * the client's invoices once for each of 100,000 payments.
 */
const mine = `
  public.payments y cross join lateral (
    select p.id, p.client_id, p.contact_id, p.ref_no, p.subject, p.currency_code from public.invoices p
    where p.id = y.invoice_id and p.workspace_id::text = $1 and p.client_id = $2 and p.state <> 'draft'
      and p.deleted_at is null offset 0) p
  where y.client_id = $2`

const columns = `
  y.id, y.paid_on::text as "on", y.amount::text as amount, p.currency_code as currency, y.method, y.reference, y.payer,
  p.id::text as invoice, p.ref_no as number, p.subject as title`

const After = z.tuple([z.iso.date(), z.int32()])

function payments(db: Knex, { workspace, client }: Customer): Payments {
  const scope = [workspace.id, client.id]

  return {
    async list({ year = null, method = null, search, after, size }) {
      const [on, id] = keyOf(after, After) ?? [null, null]
      const rows = await query(db, {
        name: `crm.payments.${Boolean(year)}.${Boolean(after)}.${Boolean(search)}`,
        text: `select ${columns} from ${mine}
                 and ($4::text is null or y.method = $4)
                 and ${year ? `y.paid_on between make_date($5::int, 1, 1) and make_date($5::int, 12, 31)` : '$5::int is null'}
                 and ${after ? '(y.paid_on, y.id) < (coalesce($6::date, date $$infinity$$), coalesce($7::int, 0))' : '$6::date is null and $7::int is null'}
                 ${search ? 'and (p.ref_no ilike $8 or y.reference ilike $8 or y.payer ilike $8 or y.amount::text like $9)' : ''}
               order by y.paid_on desc, y.id desc limit $3`,
        values: [...scope, size + 1, method, year, on, id, ...(search ? [containing(search), amountLike(search)] : [])],
      })
      const { items, next } = page(rows, size, row => [row.on, row.id])
      return { items: items.map(payment), next }
    },

    async years() {
      const rows = await query<{ year: number }>(db, {
        name: 'crm.payments.years',
        text: `with recursive years as (
                 (select y.paid_on from ${mine} order by y.paid_on desc, y.id desc limit 1)
                 union all
                 select (select y.paid_on from ${mine} and y.paid_on < date_trunc('year', years.paid_on)::date
                         order by y.paid_on desc, y.id desc limit 1)
                 from years where years.paid_on is not null)
               select extract(year from paid_on)::int as year from years where paid_on is not null limit 20`,
        values: scope,
      })
      return rows.map(it => it.year)
    },

    async find(id): Promise<Receipt> {
      const [row] = await query(db, {
        name: 'crm.payment',
        text: `select ${columns}, (select ${addressee} from public.clients c where c.id = p.client_id) from ${mine} and y.id = $3`,
        values: [...scope, idOf(id)],
      })
      if (!row) throw new NotFound()
      return { ...payment(row), from: row.to }
    },

    async record({ shares, ...received }) {
      for (const share of shares) await recordShare(db, scope, { ...received, share })
    },
  }
}

type Received = Parameters<NonNullable<Payments['record']>>[0]
interface ReceivedShare extends Omit<Received, 'shares'> {
  share: Received['shares'][number]
}

/** As this CRM's own people enter a payment: a row for the invoice, whose balance it lowers. */
async function recordShare(db: Knex, scope: string[], { share, on, method, reference, payer }: ReceivedShare) {
  if (share.section !== 'invoices') throw new Conflict()
  const values = [...scope, idOf(share.id), share.amount.amount, share.amount.currency]
  const [known] = await query(db, {
    text: `select from public.payments where client_id = $1 and invoice_id = $2 and reference = $3`,
    values: [scope[1], idOf(share.id), reference],
  })
  if (known) return
  const [changed] = await query(db, {
    text: `update public.invoices set amount_paid = amount_paid + $4::numeric, balance = balance - $4::numeric,
             state = case when balance = $4::numeric then 'paid' else 'partial' end
           where workspace_id::text = $1 and client_id = $2 and id = $3 and state in ('sent', 'partial')
             and deleted_at is null and currency_code = $5 and balance >= $4::numeric returning id`,
    values,
  })
  if (!changed) throw new Conflict()
  await query(db, {
    text: `insert into public.payments (client_id, invoice_id, paid_on, amount, method, reference, payer)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      ...[scope[1], idOf(share.id), on, share.amount.amount],
      ...[method === 'other' ? 'card' : method, reference.slice(0, 80), payer.slice(0, 160)],
    ],
  })
}

function payment(row: any) {
  const amount = money(row.amount, row.currency)
  return {
    id: String(row.id),
    on: row.on,
    amount,
    method: row.method,
    reference: row.reference,
    payer: row.payer,
    invoices: [{ id: row.invoice, number: row.number, title: row.title, amount }],
  }
}

const part: AdapterPart = {
  reads: of('payments', 'invoices', 'clients', 'contacts'),
  writes: { invoices: ['amount_paid', 'balance', 'state'] },
  adds: { payments: ['client_id', 'invoice_id', 'paid_on', 'amount', 'method', 'reference', 'payer'] },
  port: payments,
}
export default part
