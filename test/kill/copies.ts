import type { Knex } from 'knex'

/** Copies of an open proposal, with its lines. */
export async function copies(owner: Knex, many: number): Promise<string[]> {
  const { rows } = await owner.raw(
    `with made as (
       insert into proposals (workspace_id, client_id, contact_id, owner_id, ref_no, title, intro, terms, state, issued_on,
         valid_until, version, currency_code, discount_pct, net_total, tax_total, grand_total)
       select workspace_id, client_id, contact_id, owner_id, 'K-' || n, title, intro, terms, state, issued_on,
         valid_until, version, currency_code, discount_pct, net_total, tax_total, grand_total
       from proposals, generate_series(1, ?) n where ref_no = 'P-2026-031' and workspace_id = 1 returning id
     ), lines as (
       insert into proposal_lines (proposal_id, position, group_title, title, details, qty, unit, unit_price, discount_pct,
         tax_pct, is_optional, is_chosen, line_total)
       select made.id, position, group_title, l.title, details, qty, unit, unit_price, l.discount_pct, tax_pct, is_optional,
         is_chosen, line_total
       from made, proposal_lines l join proposals p on p.id = l.proposal_id where p.ref_no = 'P-2026-031' and p.workspace_id = 1
     ) select id from made`,
    [many],
  )
  return rows.map((it: { id: number }) => String(it.id))
}
