import type { Decided, Parts } from './decisions.ts'
import type { Doubt } from './doubts.ts'
import type { Coverage, Facts } from './model.ts'
import type { Creation, Omission } from './plan.ts'
import type { QuestionId } from './questionnaire.ts'
import type { Recorded, Told, ToldData } from './recorded.ts'
import type { Risk } from './risks.ts'
import type { Support } from './support.ts'

/** The contents of `audit.json`. */
export interface AuditJson {
  answers: Record<QuestionId, Told & Decided>
  data: ToldData
  /** What was read of each framework in the source. */
  coverage: Coverage[]
  tables: { create: Creation[]; leaveOut: Omission[] }
  /** The columns of `data` with their types, from the database or else the source. The fingerprint is a hash of them. */
  columns: Record<string, string>
  fingerprint: string
  /** What people answered (`--ask`); absent where nobody did. */
  recorded?: Recorded[]
}

/** What a report is written from. */
export interface Conclusion {
  json: AuditJson
  risks: Risk[]
  /** What a person should look at before the report is believed, what decides most first. */
  doubts: Doubt[]
  /** What the installed version has for each question, and can use with what the CRM keeps. */
  parts: Parts
  /** Whether the portal can run on the CRM's database. */
  support: Support
  /** What could not be looked at, in sentences. */
  notes: string[]
  looked: Facts['looked']
  untouched: string[]
  /** False when one of the inputs could not be read at all. */
  whole: boolean
}

/** The result of an audit: the JSON and the report, with risks and notes. */
export interface Audit extends Conclusion {
  /** AUDIT_REPORT.md. */
  report: string
  /** The tables that were found, with their columns: a map can be drafted from them. */
  tables: Facts['tables']
  /** The same audit with these answers of people in the place of its own. Looks at nothing again. */
  reconsider(recorded: Recorded[]): Promise<Audit>
}
