import { offers } from './_offers.ts'
import type { AdapterPart } from './adapter.ts'
import { of } from './columns.ts'

const proposals: AdapterPart = {
  reads: of('proposals', 'proposal_lines', 'documents', 'clients', 'contacts', 'staff', 'workspaces'),
  /** What an answer sets. */
  writes: {
    proposals: ['state', 'answered_on', 'answered_by', 'answer_note', 'net_total', 'tax_total', 'grand_total'],
    proposal_lines: ['is_optional', 'is_chosen', 'qty', 'line_total'],
  },
  port: (database, customer) => offers(database, customer, 'proposals'),
}
export default proposals
