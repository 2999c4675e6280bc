/**
 * For each CRM the SQL that somebody would write by hand for the list of invoices of one client ($1) of one workspace
 * ($2): what is open with what is left of it, and how many there are. On the indexes that the CRM has.
 */
export interface Expert {
  /** Open invoices: id, number, title, total, currency, left, sent, due. */
  open: string
  /** Of all that are shown, and of those that are paid by their status, at most 1,001. */
  all: string
  paid: string
  /** Amounts by currency of credit that can be used; undefined where the CRM keeps none apart. */
  credit?: string
  /** Twenty invoices and nothing else, as the speed of the CRM's own portal was compared with. */
  twenty?: string
}

export const experts: Record<string, Expert> = {
  dolibarr: {
    open: `
      select f.rowid as id, f.ref as number, coalesce(nullif(f.ref_client, ''), f.ref) as title,
        round(f.multicurrency_total_ttc, 2) as total, f.multicurrency_code as currency, f.datef as sent,
        coalesce(f.date_lim_reglement, f.datef) as due,
        round(f.multicurrency_total_ttc - coalesce(p.paid, 0) - coalesce(r.used, 0), 2) as left
      from llx_facture f
        left join (
          select y.fk_facture, sum(y.multicurrency_amount) as paid
          from llx_facture i join llx_paiement_facture y on y.fk_facture = i.rowid
          where i.fk_soc = $1 and i.entity = $2 and i.fk_statut = 1 group by 1) p on p.fk_facture = f.rowid
        left join (
          select x.fk_facture, sum(x.multicurrency_amount_ttc) as used
          from llx_facture i join llx_societe_remise_except x on x.fk_facture = i.rowid
          where i.fk_soc = $1 and i.entity = $2 and i.fk_statut = 1 group by 1) r on r.fk_facture = f.rowid
      where f.fk_soc = $1 and f.entity = $2 and f.fk_statut = 1`,
    all: 'select from llx_facture where fk_soc = $1 and entity = $2 and fk_statut <> 0 limit 1001',
    paid: 'select from llx_facture where fk_soc = $1 and entity = $2 and fk_statut = 2 limit 1001',
    twenty: `
      select rowid, ref, datef, date_lim_reglement, total_ht, total_tva, total_ttc, fk_statut
      from llx_facture where fk_soc = $1 and entity = $2 order by datef desc limit 20`,
    credit: `
      select multicurrency_code as currency, sum(round(multicurrency_amount_ttc, 2)) as amount
      from llx_societe_remise_except
      where fk_soc = $1 and entity = $2 and fk_facture is null and fk_facture_line is null and discount_type = 0 group by 1`,
  },
  odoo: {
    open: `
      select m.id, m.name as number, coalesce(nullif(m.ref, ''), m.name) as title,
        round(m.amount_total, c.decimal_places) as total, c.name as currency, m.invoice_date as sent,
        coalesce(m.invoice_date_due, m.invoice_date) as due, round(m.amount_residual, c.decimal_places) as left
      from account_move m join res_currency c on c.id = m.currency_id
      where m.commercial_partner_id = $1 and m.company_id = $2 and m.move_type = 'out_invoice' and m.state = 'posted'
        and m.amount_residual <> 0`,
    all: `
      select from account_move
      where commercial_partner_id = $1 and company_id = $2 and move_type = 'out_invoice' and state <> 'draft' limit 1001`,
    paid: `
      select from account_move
      where commercial_partner_id = $1 and company_id = $2 and move_type = 'out_invoice' and state = 'posted'
        and amount_residual <= 0 limit 1001`,
  },
  'alga-psa': {
    open: `
      select i.invoice_id as id, i.invoice_number as number, i.invoice_number as title,
        round(i.total_amount / 100.0, 2) as total, i.currency_code as currency,
        (i.invoice_date at time zone 'UTC')::date as sent, (i.due_date at time zone 'UTC')::date as due,
        round((i.total_amount - i.credit_applied - coalesce(p.paid, 0)) / 100.0, 2) as left
      from invoices i
        left join lateral (
          select sum(y.amount) as paid from invoice_payments y
          where y.tenant = i.tenant and y.invoice_id = i.invoice_id) p on true
      where i.client_id = $1 and i.tenant = $2 and i.finalized_at is not null and i.invoice_type <> 'credit_note'
        and i.status not in ('draft', 'paid', 'cancelled')`,
    all: `
      select from invoices
      where client_id = $1 and tenant = $2 and finalized_at is not null and status <> 'draft' limit 1001`,
    paid: `
      select from invoices where client_id = $1 and tenant = $2 and finalized_at is not null and status = 'paid' limit 1001`,
  },
}

/** The first page in the default order: what is to pay, by its due date. One row more says that there is a next page. */
export const pageSql = ({ open }: Expert) => `
  select id::text, number, title, total::text, currency, "left"::text as balance, sent::text as "sentOn",
    due::text as "dueOn", case when due < $3::date then 'overdue' else 'open' end as status
  from (${open}) o where "left" > 0 order by due, o.id limit 21`

const sums = (which: string) => `
  select coalesce(json_agg(json_build_object('amount', amount::text, 'currency', currency) order by amount desc), '[]')
  from (select currency, sum("left") as amount from o where ${which} group by 1) s`

const ages = [
  ['current', 'late <= 0'],
  ['1-30', 'late between 1 and 30'],
  ['31-60', 'late between 31 and 60'],
  ['61-90', 'late between 61 and 90'],
  ['over-90', 'late > 90'],
] as const

/** Counts and totals, as JSON. */
export const overviewSql = ({ open, all, paid, credit }: Expert) => `
  with o as materialized (select currency, "left", due, case when "left" > 0 then $3::date - due else 0 end as late
                          from (${open}) o where "left" <> 0)
  select json_build_object(
    'counts', json_build_object(
      'all', (select count(*) from (${all}) few), 'paid', (select count(*) from (${paid}) few),
      'open', (select count(*) from o where "left" > 0), 'overdue', (select count(*) from o where late > 0)),
    'oldestDueOn', (select min(due) from o where "left" > 0),
    'due', (${sums('true')}), 'overdue', (${sums('late > 0')}),
    'ageing', json_build_array(${ages.map(([age, late]) => `json_build_object('age', '${age}', 'amounts', (${sums(late)}))`)}),
    ${credit ? `'credit', (select coalesce(json_agg(json_build_object('amount', amount::text, 'currency', currency)), '[]') from (${credit}) k),` : ''}
    'periods', '[]'::json, 'months', '[]'::json) as overview`
