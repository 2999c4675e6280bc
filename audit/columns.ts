/** What the audit looks for in a table, by these names: the report tells them in this order, the gate watches them. */
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
