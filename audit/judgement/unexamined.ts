import type { Facts } from '../model.ts'
import { type QuestionId, questionnaire } from '../questionnaire.ts'
import type { Answer, Answers } from './answer.ts'
import { type Gap, gapFor, placesToLook } from './coverage.ts'
import type { DataMap } from './data-map.ts'
import type { ClassifiedRoute } from './surface.ts'

/** Takes back what the inputs cannot tell: without the source answers about code, and with it those behind its gaps. */
export function unexamined(answers: Answers, facts: Facts, data: DataMap, surface: ClassifiedRoute[]): Answers {
  const { looked, tables } = facts
  const judged = Object.entries(answers) as [QuestionId, Answer][]
  if (!looked.source)
    return Object.fromEntries(
      judged.map(([id, answer]) => [id, id === 'D3' && tables.length ? answer : weaker(answer, looked)]),
    ) as Answers
  return Object.fromEntries(
    judged.map(([id, answer]) => {
      const gap = noSuchDocument(id, facts, data) ? undefined : gapFor(id, facts, surface, gapsBehind(id))
      return [id, gap ? behindGap(id, answer, { gap, facts, surface }) : answer]
    }),
  ) as Answers
}

const gapsBehind = (id: QuestionId) => (Object.keys(hangingOn) as Gap[]).filter(it => hangingOn[it].has(id))

const ids = (names: string) => new Set(names.split(' ') as QuestionId[])

/** The answers that cannot be "missing" where these are not known. */
const hangingOn: Record<Gap, Set<QuestionId>> = {
  routes: new Set(questionnaire.map(it => it.id).filter(it => it !== 'D3')),
  guards: ids('A1 A2 A3 A4 B1 B2 B3 B4 B5 B6 B7 B8 D1 D4 E1 E2 F1 F2 F3'),
  handlers: ids('B4 B5 B8 C4 D4 F2 F3'),
}

/** The schema alone says that nobody sees a document that is not kept. */
function noSuchDocument(id: QuestionId, { tables }: Facts, data: DataMap): boolean {
  const kinds = { 1: data.proposals, 2: data.quotations, 3: data.invoices }
  const kind = id.match(/^[BC]([123])$/)?.[1] as keyof typeof kinds | undefined
  return kind !== undefined && tables.length > 0 && kinds[kind].table === null
}

interface Hidden {
  gap: Gap
  facts: Facts
  surface: ClassifiedRoute[]
}

function behindGap(id: QuestionId, answer: Answer, { gap, facts, surface }: Hidden): Answer {
  if (answer.status !== 'missing') return { ...answer, confidence: Math.min(answer.confidence, 0.6) }
  return {
    status: 'not-examined',
    confidence: 0,
    evidence: placesToLook(id, facts, gap, surface),
    reason: `${gapReasons[gap]} Look there before you believe that it is missing.`,
  }
}

const gapReasons: Record<Gap, string> = {
  routes: 'No route of the server could be read.',
  guards: 'Of most routes where this could be, it was not read who may call them.',
  handlers: 'Of most routes where this could be, the handler was not read.',
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
