/** Parts of SQL that the port's questions share. */
export interface Compiled {
  relation: string
  /** Relations over one document `d`. */
  payments: string
  credits: string
}
