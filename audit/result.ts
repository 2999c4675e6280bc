import type { Answer } from './judgement/answer.ts'
import type { Place } from './judgement/places.ts'
import type { Facts } from './model.ts'
import type { Creation, Omission } from './plan.ts'
import type { QuestionId } from './questionnaire.ts'
import type { Risk } from './risks.ts'

/** `audit.json`. */
export interface AuditJson {
  answers: Record<QuestionId, Answer & { decision: 'leave' | 'complete' | 'build'; consequence: string }>
  data: Record<string, Place>
  tables: { create: Creation[]; leaveOut: Omission[] }
  /** What the fingerprint is made of: the columns of `data` with their types, as the database has them, else the source. */
  columns: Record<string, string>
  fingerprint: string
}

export interface Audit {
  json: AuditJson
  /** AUDIT_REPORT.md. */
  report: string
  risks: Risk[]
  /** What could not be looked at, in sentences. */
  notes: string[]
  looked: Facts['looked']
  untouched: string[]
  /** False where something that was given could not be looked at at all. */
  whole: boolean
}
