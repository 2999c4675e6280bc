import { columns } from './columns.ts'
import { groups, type QuestionId, questionnaire } from './questionnaire.ts'
import type { Audit, AuditJson } from './result.ts'

/** AUDIT_REPORT.md: what an owner needs in five minutes, then what a developer checks. The same facts give the same text. */
export function reportOf({ json, risks, notes, looked, untouched }: Audit): string {
  const count = (status: string) => Object.values(json.answers).filter(it => it.status === status).length
  const inputs = [
    looked.database && 'the database',
    looked.source && 'the source',
    looked.http && 'the running server',
  ].filter(Boolean)
  return [
    '# Audit of the CRM',
    '',
    `Looked at: ${inputs.join(', ') || 'nothing'}. Nothing was changed: one read-only transaction, files read, GET and HEAD only.`,
    '',
    '## Verdict',
    '',
    verdict(json),
    '',
    `| implemented | partial | missing | not examined |\n|---|---|---|---|\n| ${count('implemented')} | ${count('partial')} | ${count('missing')} | ${count('not-examined')} |`,
    '',
    ...(risks.length ? [`**${risks.length} ${risks.length === 1 ? 'risk' : 'risks'} found**, below.`, ''] : []),
    ...(notes.length ? ['What could not be looked at:', '', ...[...new Set(notes)].map(it => `- ${it}`), ''] : []),
    ...questions(json),
    ...dataMap(json),
    ...tables(json),
    '## What will never be touched',
    '',
    `No table, column, index, constraint, trigger, row or route of the CRM is changed. ${untouched.length} tables of the CRM stay as they are${untouched.length ? `: ${untouched.map(code).join(', ')}` : ''}.`,
    '',
    ...riskList(risks),
    ...summary(json),
  ].join('\n')
}

const code = (text: string) => `\`${text.replaceAll('`', "'")}\``
const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ')

function verdict({ answers }: AuditJson): string {
  const { A1, B2, B3, C3 } = answers
  if (Object.values(answers).every(it => it.status === 'not-examined' || it.status === 'partial'))
    return 'Not decided: what was given is not enough to tell. Run the audit again with the source.'
  if (A1.status === 'implemented' && B3.status === 'implemented')
    return 'This CRM has a client portal of its own. Portico leaves what is there alone, links to it, and adds what is missing.'
  if (A1.status !== 'missing' || C3.status === 'implemented' || B2.status === 'partial')
    return 'This CRM has parts of a client portal. Portico keeps them and completes the rest.'
  return 'This CRM has no client portal. Portico builds it beside the CRM, from the tables below.'
}

function questions({ answers }: AuditJson): string[] {
  return Object.entries(groups).flatMap(([letter, title]) => [
    `## ${letter}. ${title}`,
    '',
    '| | question | found | evidence | decision | consequence |',
    '|---|---|---|---|---|---|',
    ...questionnaire
      .filter(it => it.id.startsWith(letter))
      .map(({ id, question }) => {
        const it = answers[id as QuestionId]
        return `| ${id} | ${question} | **${it.status.replace('-', ' ')}** (${Math.round(it.confidence * 100)} %). ${cell(it.reason)} | ${it.evidence
          .slice(0, 3)
          .map(one => code(cell(one)))
          .join('<br>')} | ${it.decision} | ${cell(it.consequence)} |`
      }),
    '',
  ])
}

function dataMap({ data }: AuditJson): string[] {
  return [
    '## Data map',
    '',
    '| what | table | columns | status values |',
    '|---|---|---|---|',
    ...Object.entries(data).map(([what, it]) => {
      const used = columns.filter(name => it[name]).map(name => `${name} ${code(it[name]!)}`)
      return `| ${what.replaceAll('_', ' ')} | ${it.table ? code(it.table) : 'none'}${it.note ? ` (${cell(it.note)})` : ''} | ${used.join(', ')} | ${(it.statuses ?? []).map(code).join(', ')} |`
    }),
    '',
  ]
}

function tables({ tables: { create, leaveOut } }: AuditJson): string[] {
  return [
    '## What will be created',
    '',
    "In a schema of its own, `portal`, with no key, view or trigger on the CRM's tables:",
    '',
    ...create.flatMap(it => [`### ${it.table}`, '', '```sql', it.ddl, '```', '']),
    '## What will be left out',
    '',
    ...(leaveOut.length
      ? leaveOut.map(it => `- ${code(it.table)}: ${it.because}`)
      : ['Nothing: the CRM keeps none of it.']),
    '',
  ]
}

const riskList = (risks: Audit['risks']) => [
  '## Risks found',
  '',
  ...(risks.length
    ? risks.map(it => `- **${it.title}.** ${it.consequence} ${it.evidence.map(code).join(', ')}`)
    : ['None of those that the audit looks for.']),
  '',
]

function summary({ answers, tables: { create }, fingerprint }: AuditJson): string[] {
  const list = (status: string) =>
    questionnaire
      .filter(it => answers[it.id].status === status)
      .map(it => it.id)
      .join(', ') || 'nothing'
  const built = [...new Set(questionnaire.filter(it => answers[it.id].decision === 'build').map(it => it.part))]
  return [
    '## Final summary',
    '',
    `- **Already implemented:** ${list('implemented')}`,
    `- **Partly implemented:** ${list('partial')}`,
    `- **Missing:** ${list('missing')}`,
    `- **Not examined:** ${list('not-examined')}`,
    `- **Portico adds:** ${create.length} tables in the schema \`portal\`; ${built.join('; ') || 'nothing else'}.`,
    '',
    `Fingerprint of the mapped schema: \`${fingerprint}\``,
    '',
  ]
}
