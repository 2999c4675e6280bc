import type { Evidence, Facts } from '../model.ts'
import type { QuestionId } from '../questionnaire.ts'
import type { DataMap } from './data-map.ts'
import type { ClientPeople } from './people.ts'
import type { ClassifiedRoute } from './surface.ts'

export type Status = 'implemented' | 'partial' | 'missing' | 'not-examined'

export interface Answer {
  status: Status
  /** From 0 to 1: how sure the audit is. */
  confidence: number
  evidence: Evidence[]
  /** What was found, in a sentence. */
  reason: string
}

export type Answers = Record<QuestionId, Answer>

/** What the answers are judged from. */
export interface Findings {
  facts: Facts
  data: DataMap
  surface: ClassifiedRoute[]
  people: ClientPeople
}

export const implemented = (reason: string, evidence: Evidence[], confidence = 0.85): Answer =>
  answer('implemented', reason, evidence, confidence)
export const partial = (reason: string, evidence: Evidence[], confidence = 0.65): Answer =>
  answer('partial', reason, evidence, confidence)
export const missing = (reason: string, evidence: Evidence[] = [], confidence = 0.75): Answer =>
  answer('missing', reason, evidence, confidence)

/** Routes as evidence: each with its address and where it is written. */
export const shown = (reaches: ClassifiedRoute[], most = 4): Evidence[] =>
  [...new Set(reaches.map(({ route }) => `${route.method} ${route.path} (${route.at})`))].slice(0, most)

/** Evidence that something is for staff: the routes, each with its guard. */
export const staffOnly = (surface: ClassifiedRoute[], about: (it: ClassifiedRoute) => boolean): Evidence[] =>
  [
    ...new Set(
      surface
        .filter(it => it.actor === 'staff' && about(it))
        .map(({ route }) => `${route.method} ${route.path} behind ${route.guards.at(-1) ?? 'a session'} (${route.at})`),
    ),
  ].slice(0, 2)

const answer = (status: Status, reason: string, evidence: Evidence[], confidence: number): Answer => ({
  status,
  confidence,
  evidence: [...new Set(evidence)].slice(0, 6),
  reason,
})
