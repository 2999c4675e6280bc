import type { Status } from '../judgement/answer.ts'
import { type QuestionId, questionnaire } from '../questionnaire.ts'
import type { AuditJson } from '../result.ts'

export const code = (text: string) => `\`${text.replaceAll('`', "'")}\``

/** Text that may stand in a cell of a table. */
export const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ')

type Answers = AuditJson['answers']

/** The questions with this answer, by id and in their order. */
export const withStatus = (answers: Answers, status: Status): QuestionId[] =>
  questionnaire.filter(it => answers[it.id].status === status).map(it => it.id)

export const idsOf = (answers: Answers, status: Status) => withStatus(answers, status).join(', ') || 'nothing'

/** What is folded until somebody wants it. */
export const folded = (title: string, lines: string[]): string[] => [
  `<details><summary>${title}</summary>`,
  '',
  ...lines,
  '',
  '</details>',
  '',
]

export const percent = (confidence: number) => `${Math.round(confidence * 100)} %`
