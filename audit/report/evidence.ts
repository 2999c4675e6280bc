import { columns } from '../columns.ts'
import { groups, type QuestionId, questionnaire } from '../questionnaire.ts'
import type { ToldPlace } from '../recorded.ts'
import type { AuditJson, Conclusion } from '../result.ts'
import { cell, code, percent } from './text.ts'

/** What the decision rests on: what was read, each answer, and where the CRM keeps things. */
export const evidence = ({ json }: Conclusion): string[] => [...coverage(json), ...questions(json), ...dataMap(json)]

function coverage({ coverage }: AuditJson): string[] {
  if (!coverage.length) return []
  return [
    '## What was read of the source',
    '',
    '| framework | routes | known who may call them | handlers read |',
    '|---|---|---|---|',
    ...coverage.map(it => `| ${it.framework} | ${it.routes} | ${it.guarded} | ${it.handlers} |`),
    '',
    'Where most routes or handlers could not be read, nothing is called missing on their account.',
    '',
  ]
}

const questions = ({ answers }: AuditJson): string[] =>
  Object.entries(groups).flatMap(([letter, title]) => {
    const ids = questionnaire.filter(it => it.id.startsWith(letter))
    return [
      `## ${letter}. ${title}`,
      '',
      '| | question | found | evidence | decision |',
      '|---|---|---|---|---|',
      ...ids.map(({ id, question }) => row(id, question, answers[id])),
      '',
    ]
  })

function row(id: QuestionId, question: string, it: AuditJson['answers'][QuestionId]): string {
  const told = it.answeredBy ? `answered by ${it.answeredBy.name}, ${it.answeredBy.on}` : percent(it.confidence)
  const sure = it.status === 'not-examined' && !it.answeredBy ? '' : ` (${told})`
  const found = `**${it.status.replace('-', ' ')}**${sure}. ${cell(it.reason)}`
  const evidence = it.evidence.slice(0, 3).map(one => code(cell(one)))
  return `| ${id} | ${question} | ${found} | ${evidence.join('<br>')} | ${cell(it.consequence)} |`
}

function dataMap({ data }: AuditJson): string[] {
  const found = Object.entries(data).filter(([, it]) => it.table !== null)
  const absent = Object.entries(data).filter(([, it]) => it.table === null)
  const said = (names: [string, unknown][]) => names.map(([name]) => name.replaceAll('_', ' ')).join(', ')
  return [
    '## Data map',
    '',
    '| what | table | columns | status values |',
    '|---|---|---|---|',
    ...found.map(([what, it]) => place(what.replaceAll('_', ' '), it)),
    '',
    ...(absent.length ? [`No table was found for: ${said(absent)}.`, ''] : []),
  ]
}

function place(what: string, it: ToldPlace): string {
  const used = columns.filter(name => it[name]).map(name => `${name} ${code(it[name]!)}`)
  if (it.inCents !== undefined) used.push(it.inCents ? 'amounts in cents' : 'amounts not in cents')
  if (it.kinds) used.push(`only ${code(it.kinds.column)} ${it.kinds.values.map(code).join(', ')}`)
  const note = it.note ? ` (${cell(it.note)})` : ''
  return `| ${what} | ${code(it.table!)}${note} | ${used.join(', ')} | ${(it.statuses ?? []).map(code).join(', ')} |`
}
