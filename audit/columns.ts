/** The columns that the audit looks for in a table, in the order of the report. Activation checks them for drift. */
export const columns = [
  'id',
  'name',
  'number',
  'tenant',
  'client',
  'parent',
  'owner',
  'status',
  'amount',
  'currency',
  'issued',
  'due',
  'file',
  'token',
] as const
