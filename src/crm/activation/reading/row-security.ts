import { tableIdent } from '../../mapping/sql.ts'
import type { Check } from '../checks.ts'
import { type RealRows, reasonOf } from './rows.ts'

/** A CRM may have row-level security of its own: then the portal's role sees what its policies let it, or nothing. */
export async function checkRowSecurity({ ask, catalogue }: RealRows): Promise<Check> {
  const secured: { table: string }[] = await ask(
    `select n.nspname || '.' || c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where row_security_active(c.oid) and n.nspname || '.' || c.relname = any($param(tables)) order by 1`,
    { tables: [...catalogue.tables.keys()] },
  )
  const seen: { table: string; hidden: string | undefined }[] = []
  for (const { table } of secured) {
    const rows = await ask(`select 1 from ${tableIdent(table)} limit 1`).catch(reasonOf)
    seen.push({ table, hidden: typeof rows === 'string' ? rows : none(rows) })
  }
  return {
    label: 'row-level security of the CRM lets the portal’s role read',
    problems: seen.flatMap(({ table, hidden }) =>
      hidden
        ? [`${table} has row-level security, and the portal’s role is not let in (${hidden}): add a policy for it`]
        : [],
    ),
    notes: seen.flatMap(({ table, hidden }) =>
      hidden ? [] : [`${table} has row-level security: the portal sees only the rows that its policies show it`],
    ),
  }
}

const none = (rows: unknown[]) => (rows.length ? undefined : 'it sees no row of it')
