import type { Conclusion } from '../result.ts'
import { code, folded } from './text.ts'

/** Long lists, each folded. */
export function appendix({ json, notes, untouched }: Conclusion): string[] {
  const { create, leaveOut } = json.tables
  const { recorded = [] } = json
  const all = [...new Set(notes)]
  const sql = create.flatMap(it => [`### ${it.table}`, '', '```sql', it.ddl, '```', ''])
  return [
    '## Appendix',
    '',
    "Portico's tables are in a schema of their own, `portal`, with no key, view or trigger on the CRM's tables. No table, column, index, constraint, trigger, row or route of the CRM is changed.",
    '',
    ...folded(`What will be created: ${create.length} tables, with their SQL`, sql),
    ...(leaveOut.length
      ? folded(
          `What will be left out: ${leaveOut.length} tables`,
          leaveOut.map(it => `- ${code(it.table)}: ${it.because}`),
        )
      : []),
    ...(untouched.length
      ? folded(`What will never be touched: ${untouched.length} tables of the CRM`, [untouched.map(code).join(', ')])
      : []),
    ...(recorded.length
      ? folded(
          `What people answered: ${recorded.length}`,
          recorded.map(it => `- ${it.about}: ${it.answer}, by ${it.by} on ${it.on}${it.note ? `. ${it.note}` : ''}`),
        )
      : []),
    ...(all.length > 4
      ? folded(
          `Everything that could not be looked at: ${all.length}`,
          all.map(it => `- ${it}`),
        )
      : []),
  ]
}
