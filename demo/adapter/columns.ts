import type { Columns } from '../../src/index.ts'

/** All that is ever selected of the CRM: its tables and columns. */
const columns: Columns = {
  workspaces: [
    ...['id', 'slug', 'name', 'legal_name', 'address_line1', 'address_line2', 'postcode', 'city', 'country'],
    ...['vat_no', 'colour', 'logo_svg', 'time_zone', 'bank_name', 'iban', 'account_no', 'bank_code', 'bic'],
  ],
  staff: ['id', 'full_name', 'email'],
  clients: [
    ...['id', 'workspace_id', 'company_name', 'legal_name', 'address_line1', 'address_line2', 'postcode', 'city'],
    ...['country', 'account_manager', 'archived'],
  ],
  documents: [
    ...['id', 'client_id', 'uploaded_by', 'about_type', 'about_id', 'folder', 'file_name', 'mime', 'size_bytes'],
    ...['storage_key', 'shared', 'created'],
  ],
  tasks: [...['id', 'client_id', 'project_id', 'title', 'details', 'due_on', 'state', 'for_client', 'done_on']],
  projects: ['id', 'name', 'manager'],
  contacts: ['id', 'client_id', 'first_name', 'last_name', 'email', 'phone', 'language', 'left_on'],
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
    ...['answered_on', 'answered_by', 'answer_note', 'deleted_at', 'deposit_percent'],
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
    ...['decided_on', 'decided_by', 'decision_note', 'deleted_at', 'deposit_amount'],
  ],
  quotation_lines: [
    ...['id', 'quotation_id', 'sort', 'section', 'name', 'details', 'quantity', 'unit', 'price', 'discount_pct'],
    ...['tax_pct', 'optional', 'chosen', 'line_total'],
  ],
  invoices: [
    ...['id', 'workspace_id', 'client_id', 'contact_id', 'ref_no', 'subject', 'po_number', 'remarks', 'state'],
    ...['issued_on', 'due_on', 'currency_code', 'discount_pct', 'net_total', 'tax_total', 'grand_total', 'balance'],
    ...['amount_paid', 'reminded_on', 'deleted_at'],
  ],
  invoice_lines: [
    ...['invoice_id', 'position', 'group_title', 'title', 'details', 'qty', 'unit', 'unit_price', 'discount_pct'],
    ...['tax_pct', 'line_total'],
  ],
  payments: ['id', 'client_id', 'invoice_id', 'paid_on', 'amount', 'method', 'reference', 'payer'],
  credit_notes: ['id', 'invoice_id', 'ref_no', 'issued_on', 'reason', 'grand_total', 'state'],
}

/** These tables, each with what is selected of it. */
export const of = (...tables: string[]): Columns => Object.fromEntries(tables.map(it => [it, columns[it] ?? []]))
