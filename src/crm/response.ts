import type { Line, Totals } from './document.ts'

/** What a client answered to a document: accepted it, or declined it. */
export interface ClientResponse {
  /** Of this answer alone. */
  key: string
  act: 'accepted' | 'declined'
  version: number
  at: Date
  /** The plain date it is at the workspace. */
  on: string
  by: { name: string; email: string; contact: string | null }
  reason: string | null
  /** As the client counts its orders. */
  orderNumber: string | null
  /** A plain date. */
  requestedOn: string | null
  /**
   * The optional lines, also those that are by this answer, and what all comes to, where it is other than the CRM had
   * it.
   */
  selection: { lines: Pick<Line, 'id' | 'chosen' | 'quantity' | 'total'>[]; sums: Totals } | null
}

/** The part of a port that takes answers. Without `answer` and `passOn`, nothing can be answered. */
export interface TakesResponses {
  /**
   * Takes an answer where the document is still open, not expired and of this version, in the transaction of `connect`
   * where that is in the same database. Throws Conflict where it is not; the same answer, by its `key` or all that it
   * says, a second time is no conflict.
   */
  respond?(id: string, answer: ClientResponse): Promise<void>
  /** Whether lines that were not optional may be left out. They become optional and are not chosen. */
  parts?: boolean
  /** The same for a CRM with an API: called after the evidence is stored, and retried. */
  submit?(id: string, answer: ClientResponse): Promise<void>
}
