import type { Knex } from 'knex'

/** How much there is when it is said to be large. */
export const large = { clients: 100_000, invoices: 10_000_000 }

/**
 * Many more clients with many more invoices, by set-based SQL: each client of a workspace gets its share of them, the
 * named companies of the demo keep what they have. A tenth is open, the rest is paid; every tenth has its payment.
 */
export async function growCrm(knex: Knex, { clients, invoices }: typeof large): Promise<void> {
  await knex.raw(
    `insert into clients (workspace_id, client_no, company_name, currency)
     select w.id, 'L' || n, 'Company ' || n, w.currency
     from generate_series(1, ?::int) n
       join (select row_number() over (order by id) - 1 as at, id, currency from workspaces) w
         on w.at = n % (select count(*) from workspaces)`,
    [clients],
  )
  await knex.raw(
    `insert into invoices (workspace_id, client_id, ref_no, subject, state, issued_on, due_on, currency_code, net_total,
                           grand_total, amount_paid, balance)
     select c.workspace_id, c.id, 'L-' || n, 'Delivery ' || n, case when n % 10 = 0 then 'sent' else 'paid' end,
            current_date - n % 700, current_date - n % 700 + 30, c.currency, n % 1000 + 1, n % 1000 + 1,
            case when n % 10 = 0 then 0 else n % 1000 + 1 end, case when n % 10 = 0 then n % 1000 + 1 else 0 end
     from generate_series(1, ?::int) n
       join (select row_number() over (order by id) - 1 as at, id, workspace_id, currency from clients
             where client_no like 'L%') c on c.at = n % ?::int`,
    [invoices, clients],
  )
  await knex.raw(
    `insert into payments (client_id, invoice_id, paid_on, amount, method)
     select client_id, id, issued_on + 14, amount_paid, 'bank transfer' from invoices
     where ref_no like 'L-%1' and state = 'paid'`,
  )
  await knex.raw('vacuum analyze clients, invoices, payments')
}
