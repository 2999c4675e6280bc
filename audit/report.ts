import { questionnaire } from './questionnaire.ts'
import { appendix } from './report/appendix.ts'
import { decisionPage } from './report/decision-page.ts'
import { evidence } from './report/evidence.ts'
import { idsOf } from './report/text.ts'
import type { AuditJson, Conclusion } from './result.ts'

/**
 * AUDIT_REPORT.md: half a page to decide by, then risks, the evidence for each question, and a folded appendix. The
 * same facts give the same text.
 */
export const reportOf = (audit: Conclusion): string =>
  [
    '# Audit of the CRM',
    '',
    lookedAt(audit.looked),
    '',
    ...decisionPage(audit),
    ...riskList(audit.risks),
    ...evidence(audit),
    ...appendix(audit),
    ...summary(audit.json),
  ].join('\n')

function lookedAt({ database, source, http }: Conclusion['looked']): string {
  const how = [
    database && 'the database, in one read-only transaction',
    source && 'the source',
    http && 'the running server, by GET and HEAD',
  ].filter(Boolean)
  return how.length ? `Looked at: ${how.join('; ')}. Nothing was changed.` : 'Nothing could be looked at.'
}

function riskList(risks: Conclusion['risks']): string[] {
  const code = (text: string) => `\`${text.replaceAll('`', "'")}\``
  const said = risks.map(it => `- **${it.title}.** ${it.consequence} ${it.evidence.map(code).join(', ')}`)
  return ['## Risks', '', ...(said.length ? said : ['None of those that the audit looks for.']), '']
}

function summary({ answers, tables: { create }, fingerprint }: AuditJson): string[] {
  const added = questionnaire.filter(it => /^(build|complete)$/.test(answers[it.id].decision)).map(it => it.id)
  return [
    '## Final summary',
    '',
    `- **Already implemented:** ${idsOf(answers, 'implemented')}`,
    `- **Partly implemented:** ${idsOf(answers, 'partial')}`,
    `- **Missing:** ${idsOf(answers, 'missing')}`,
    `- **Not examined:** ${idsOf(answers, 'not-examined')}`,
    `- **Portico adds:** what ${added.join(', ') || 'nothing'} ${added.length === 1 ? 'asks' : 'ask'} for, and ${create.length} tables in the schema \`portal\`.`,
    '',
    `Fingerprint of the mapped schema: \`${fingerprint}\``,
    '',
  ]
}
