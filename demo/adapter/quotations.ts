import { offers } from './_offers.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'

const quotations: AdapterPart = {
  reads: of('quotations', 'quotation_lines', 'documents', 'clients', 'contacts', 'staff', 'workspaces'),
  /** What an answer sets. */
  writes: {
    quotations: ['status', 'decided_on', 'decided_by', 'decision_note', 'net_total', 'tax_total', 'grand_total'],
    quotation_lines: ['optional', 'chosen', 'quantity', 'line_total'],
  },
  port: (database, customer) => offers(database, customer, 'quotations'),
}
export default quotations
