import type { Facts } from '../model.ts'
import type { QuestionId } from '../questionnaire.ts'
import type { Answer, Answers } from './answer.ts'

/** Without the source nobody can say that logic is missing, nor that it is there. */
export function unexamined(answers: Answers, { looked, tables }: Facts): Answers {
  if (looked.source) return answers
  const judged = Object.entries(answers) as [QuestionId, Answer][]
  return Object.fromEntries(
    judged.map(([id, answer]) => [id, id === 'D3' && tables.length ? answer : weaker(answer, looked)]),
  ) as Answers
}

function weaker(answer: Answer, looked: Facts['looked']): Answer {
  if (answer.status === 'implemented' || answer.status === 'partial')
    return {
      ...answer,
      status: 'partial',
      confidence: Math.min(answer.confidence, 0.5),
      reason: `${answer.reason} The source was not examined: the logic behind it is unknown.`,
    }
  const seen = looked.database ? 'The database alone' : 'What the server shows from outside'
  return {
    status: 'not-examined',
    confidence: 0,
    evidence: [],
    reason: `${seen} cannot tell. Give the source (--source).`,
  }
}
