import type { Knex } from 'knex'
import { join } from '../../src/auth/people.ts'
import { within } from '../../src/platform/database.ts'

export interface Person {
  id: string
  name: string
  email: string
  client: { id: string; name: string }
}

/** Companies that are clients of the first workspace, each with one person who may do everything there. */
export async function addPeople(owner: Knex, portal: Knex, many: number): Promise<Person[]> {
  const { rows } = await owner.raw(
    `with made as (
       insert into clients (workspace_id, client_no, company_name, currency)
       select 1, 'F-' || n, 'Company ' || n || ' of faults', 'EUR' from generate_series(1, ?) n
       returning id, client_no, company_name
     ) insert into contacts (client_id, first_name, last_name, email, is_primary)
       select id, 'Kim', 'Faults ' || client_no, 'kim.' || client_no || '@faults.example', true from made
       returning id, client_id, first_name || ' ' || last_name as name, lower(email) as email,
         (select company_name from made where made.id = client_id) as company`,
    [many],
  )
  return Promise.all(
    rows.map(async (it: { id: number; client_id: number; name: string; email: string; company: string }) => {
      const { name, email } = it
      const client = { id: String(it.client_id), name: it.company }
      const joining = { workspace: '1', role: 'admin' as const, passwordHash: null, contact: String(it.id) }
      const id = await within(portal, { workspace: '1' }, tx => join(tx, { ...joining, name, email, client }))
      return { id, name, email, client }
    }),
  )
}

/** Open proposals, so many for each of these clients; their ids by client. */
export async function addProposals(owner: Knex, people: Person[], each: number): Promise<Map<string, string[]>> {
  const { rows } = await owner.raw(
    `with winter as (
       select id from proposals where ref_no like 'P-%-031' and workspace_id = 1 order by ref_no desc limit 1
     ), made as (
       insert into proposals (workspace_id, client_id, owner_id, ref_no, title, intro, terms, state, issued_on,
         valid_until, version, currency_code, discount_pct, net_total, tax_total, grand_total)
       select workspace_id, c.id, owner_id, 'F-' || c.id || '-' || n + (select count(*) from proposals o where o.client_id = c.id),
         title, intro, terms, 'sent', issued_on, current_date + 30, version, currency_code, discount_pct, net_total,
         tax_total, grand_total
       from proposals p, unnest(?::int[]) c (id), generate_series(1, ?) n
       where p.id = (select id from winter) returning id, client_id
     ), lines as (
       insert into proposal_lines (proposal_id, position, group_title, title, details, qty, unit, unit_price, discount_pct,
         tax_pct, is_optional, is_chosen, line_total)
       select made.id, position, group_title, title, details, qty, unit, unit_price, discount_pct, tax_pct,
         is_optional, is_chosen, line_total
       from made, proposal_lines l where l.proposal_id = (select id from winter)
     ) select client_id::text as client, array_agg(id::text) as ids from made group by 1`,
    [people.map(it => Number(it.client.id)), each],
  )
  return new Map(rows.map((it: { client: string; ids: string[] }) => [it.client, it.ids]))
}
