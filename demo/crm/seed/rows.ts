import type { Knex } from 'knex'

export type Row = Record<string, string | number | boolean | null>

export type Rows = {
  add(table: string, row: Row): number
  insert(knex: Knex): Promise<void>
}

const tables = [
  'workspaces',
  'staff',
  'clients',
  'contacts',
  'proposals',
  'proposal_lines',
  'quotations',
  'quotation_lines',
  'invoices',
  'invoice_lines',
  'payments',
  'credit_notes',
  'projects',
  'project_phases',
  'tasks',
  'documents',
  'comments',
  'tickets',
  'activity',
]

export function collectRows(): Rows {
  const collected = new Map<string, Row[]>(tables.map(table => [table, []]))
  return {
    add(table, row) {
      const rows = collected.get(table)!
      const id = rows.length + 1
      rows.push({ id, ...row })
      return id
    },
    async insert(knex) {
      for (const [table, rows] of collected) await insertInto(knex, table, rows)
    },
  }
}

async function insertInto(knex: Knex, table: string, rows: Row[]): Promise<void> {
  const columns = [...new Set(rows.slice(0, 1).flatMap(row => Object.keys(row)))]
  const names = columns.map(column => `"${column}"`).join(', ')
  for (let start = 0; start < rows.length; start += 5000) {
    const batch = JSON.stringify(rows.slice(start, start + 5000))
    await knex.raw(
      `insert into public.${table} (${names}) select ${names} from json_populate_recordset(null::public.${table}, ?::json)`,
      [batch],
    )
  }
  await knex.raw(`select setval(pg_get_serial_sequence('public.${table}', 'id'), ?, true)`, [Math.max(rows.length, 1)])
}
