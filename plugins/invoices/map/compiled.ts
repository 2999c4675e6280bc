/** Parts of SQL that the port's questions share. */
export interface Compiled {
  relation: string
  /** Relations over one document `d`. */
  payments: string
  credits: string
  /** What is taken off the total, where the balance is made of it: relations over one document `d`. */
  bySettlements?: string[] | undefined
  /** A relation of what can still be used, by currency. */
  credit?: string | undefined
}
