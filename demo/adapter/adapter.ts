import type { Knex } from 'knex'
import {
  adapterOf,
  type Client,
  type Columns,
  type Crm,
  type Customer,
  type Directory,
  query,
  type Reads,
} from '../../src/index.ts'
import { invoices } from './invoices.ts'
import { map } from './map.ts'
import { offers } from './offers.ts'
import { payments } from './payments.ts'
import { containing } from './sql.ts'

/** How Portico reads this CRM. `database` is connected as Portico's own role, which has only the grants of `reads`. */
export const adapter = (database: Knex): Crm =>
  process.env.PORTICO_ADAPTER === 'map' ? adapterOf(map, database) : byHand(database)

export const byHand = (database: Knex): Crm => ({
  directory: directory(database),
  connect: (customer: Customer, tx) => ({
    proposals: offers(tx ?? database, customer, 'proposals'),
    quotations: offers(tx ?? database, customer, 'quotations'),
    invoices: invoices(tx ?? database, customer),
    payments: payments(tx ?? database, customer),
  }),
  reads,
  writes,
})

/** All that is ever selected of the CRM: its tables and columns. */
const columns: Columns = {
  workspaces: [
    ...['id', 'slug', 'name', 'legal_name', 'address_line1', 'address_line2', 'postcode', 'city', 'country'],
    ...['vat_no', 'colour', 'logo_svg', 'time_zone', 'bank_name', 'iban', 'account_no', 'bank_code', 'bic'],
  ],
  staff: ['id', 'full_name'],
  clients: [
    ...['id', 'workspace_id', 'company_name', 'legal_name', 'address_line1', 'address_line2', 'postcode', 'city'],
    ...['country', 'archived'],
  ],
  documents: ['id', 'client_id', 'about_type', 'about_id', 'file_name', 'mime', 'size_bytes', 'storage_key', 'shared'],
  contacts: ['id', 'client_id', 'first_name', 'last_name', 'email', 'language', 'left_on'],
  proposals: [
    ...['id', 'workspace_id', 'client_id', 'contact_id', 'owner_id', 'ref_no', 'title', 'intro', 'terms', 'state'],
    ...[
      'issued_on',
      'valid_until',
      'version',
      'currency_code',
      'discount_pct',
      'net_total',
      'tax_total',
      'grand_total',
    ],
    ...['answered_on', 'answered_by', 'answer_note', 'deleted_at'],
  ],
  proposal_lines: [
    ...[
      'id',
      'proposal_id',
      'position',
      'group_title',
      'title',
      'details',
      'qty',
      'unit',
      'unit_price',
      'discount_pct',
    ],
    ...['tax_pct', 'is_optional', 'is_chosen', 'line_total'],
  ],
  quotations: [
    ...[
      'id',
      'workspace_id',
      'client_id',
      'contact_id',
      'prepared_by',
      'ref_no',
      'subject',
      'opening',
      'conditions',
      'status',
    ],
    ...[
      'quoted_on',
      'valid_until',
      'version',
      'currency_code',
      'discount_pct',
      'net_total',
      'tax_total',
      'grand_total',
    ],
    ...['decided_on', 'decided_by', 'decision_note', 'deleted_at'],
  ],
  quotation_lines: [
    ...['id', 'quotation_id', 'sort', 'section', 'name', 'details', 'quantity', 'unit', 'price', 'discount_pct'],
    ...['tax_pct', 'optional', 'chosen', 'line_total'],
  ],
  invoices: [
    ...['id', 'workspace_id', 'client_id', 'contact_id', 'ref_no', 'subject', 'po_number', 'remarks', 'state'],
    ...['issued_on', 'due_on', 'currency_code', 'discount_pct', 'net_total', 'tax_total', 'grand_total', 'balance'],
    ...['reminded_on', 'deleted_at'],
  ],
  invoice_lines: [
    ...['invoice_id', 'position', 'group_title', 'title', 'details', 'qty', 'unit', 'unit_price', 'discount_pct'],
    ...['tax_pct', 'line_total'],
  ],
  payments: ['id', 'client_id', 'invoice_id', 'paid_on', 'amount', 'method', 'reference', 'payer'],
  credit_notes: ['id', 'invoice_id', 'ref_no', 'issued_on', 'reason', 'grand_total', 'state'],
}

const of = (...tables: string[]): Columns => Object.fromEntries(tables.map(it => [it, columns[it] ?? []]))

/** The same by who selects it. */
const reads: Reads = {
  directory: of('workspaces', 'clients', 'contacts'),
  proposals: of('proposals', 'proposal_lines', 'documents', 'clients', 'contacts', 'staff'),
  quotations: of('quotations', 'quotation_lines', 'documents', 'clients', 'contacts', 'staff'),
  invoices: of('invoices', 'invoice_lines', 'payments', 'credit_notes', 'workspaces', 'clients', 'contacts'),
  payments: of('payments', 'invoices', 'clients', 'contacts'),
}

/** What an answer sets. */
const writes = {
  proposals: {
    proposals: ['state', 'answered_on', 'answered_by', 'answer_note', 'net_total', 'tax_total', 'grand_total'],
    proposal_lines: ['is_optional', 'is_chosen', 'qty', 'line_total'],
  },
  quotations: {
    quotations: ['status', 'decided_on', 'decided_by', 'decision_note', 'net_total', 'tax_total', 'grand_total'],
    quotation_lines: ['optional', 'chosen', 'quantity', 'line_total'],
  },
}

function directory(database: Knex): Directory {
  return {
    async workspace(slug) {
      const [row] = await query(database, {
        name: 'crm.workspace',
        text: `select id::text, slug, name, time_zone as "timeZone", colour,
                 array_remove(array[legal_name, address_line1, address_line2, postcode || ' ' || city,
                                    'VAT ' || vat_no], null) as letterhead
               from public.workspaces where slug = $1`,
        values: [slug],
      })
      return row
    },

    async client(workspace, id) {
      const [row] = await query<Client>(database, {
        name: 'crm.client',
        text: `select id::text, company_name as name,
                 array_remove(array[coalesce(legal_name, company_name), address_line1, address_line2,
                                    postcode || ' ' || city], null) as address
               from public.clients where workspace_id = $1 and id::text = $2 and not archived`,
        values: [workspace.id, id],
      })
      return row
    },

    async stillThere(workspace, contactIds) {
      const rows = await query<{ id: string }>(database, {
        name: 'crm.stillThere',
        text: `select p.id::text from public.contacts p join public.clients c on c.id = p.client_id
               where c.workspace_id = $1 and p.id::text = any($2) and p.left_on is null and not c.archived`,
        values: [workspace.id, contactIds],
      })
      return rows.map(it => it.id)
    },

    clients: (workspace, search) =>
      query<Client>(database, {
        name: 'crm.clients',
        text: `select id::text, company_name as name, array_remove(array[postcode || ' ' || city], null) as address
               from public.clients where workspace_id = $1 and not archived and company_name ilike $2
               order by lower(company_name), id limit 20`,
        values: [workspace.id, containing(search)],
      }),

    async logo(workspace) {
      const [row] = await query<{ logo: string | null }>(database, {
        name: 'crm.logo',
        text: 'select logo_svg as logo from public.workspaces where id = $1',
        values: [workspace.id],
      })
      return row?.logo ? Buffer.from(row.logo) : undefined
    },

    contacts: (workspace, clientId) =>
      query(database, {
        name: 'crm.contacts',
        text: `select p.id::text, p.first_name || ' ' || p.last_name as name, lower(p.email) as email, p.language
               from public.contacts p join public.clients c on c.id = p.client_id
               where c.workspace_id = $1 and c.id::text = $2 and p.email is not null and p.left_on is null
               order by p.id`,
        values: [workspace.id, clientId],
      }),
  }
}
