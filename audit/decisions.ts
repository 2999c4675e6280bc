import type { PluginAudit } from '../src/plugin/parts.ts'
import type { Answer, Status } from './judgement/answer.ts'
import type { DataMap } from './judgement/data-map.ts'
import type { Table } from './model.ts'
import { type QuestionId, questionnaire } from './questionnaire.ts'

/** What becomes of a part. `none`: the CRM does not have it, and this version of Portico has nothing to add. */
export type Decision = 'leave' | 'complete' | 'build' | 'look' | 'none'

export interface Decided extends Answer {
  decision: Decision
  /** What follows for the portal, in a sentence. */
  consequence: string
}

/** A plugin, as far as the audit asks it. */
export interface AuditedPlugin {
  audit?: PluginAudit | PluginAudit[]
}

/** What the installed version has for each question: parts of its core and of the plugins. */
export type Parts = Record<QuestionId, string[]>

export interface Offered {
  /** Parts that can be used with what the CRM keeps. */
  parts: Parts
  /** Of the others, what they would show and no table was found for. */
  lacking: Record<QuestionId, string[]>
}

/** The parts for each question. One that shows something of the CRM's needs a table of it among those found. */
export function partsOf(plugins: AuditedPlugin[], data: Partial<DataMap> = {}, tables: Table[] = []): Offered {
  const entries = plugins.flatMap(it => it.audit ?? [])
  const isThere = (name: string) => data[name as keyof DataMap]?.table != null
  const isUsable = ({ of }: PluginAudit) => !of || !tables.length || of.some(isThere)
  const offered = questionnaire.map(({ id, part }) => {
    const asked = entries.filter(it => it.question === id)
    const usable = asked.filter(isUsable).map(it => it.adds)
    const lacking = asked.filter(it => !isUsable(it)).flatMap(it => it.of ?? [])
    return { id, parts: [...new Set([...(part ? [part] : []), ...usable])], lacking: [...new Set(lacking)] }
  })
  return {
    parts: Object.fromEntries(offered.map(it => [it.id, it.parts])) as Parts,
    lacking: Object.fromEntries(offered.map(it => [it.id, it.lacking])) as Parts,
  }
}

/** The decision that follows from each answer. It names usable parts of the installed version and no others. */
export const decide = <A extends Answer>(
  answers: Record<QuestionId, A>,
  { parts, lacking }: Offered,
): Record<QuestionId, A & Decided> =>
  Object.fromEntries(
    questionnaire.map(({ id, existing }) => {
      const nothing = lacking[id].length ? nothingToShow(lacking[id]) : noPart
      const decided = outcomes[answers[id].status](parts[id].join('; '), existing, nothing)
      return [id, { ...answers[id], ...decided }]
    }),
  ) as Record<QuestionId, A & Decided>

type Outcome = Pick<Decided, 'decision' | 'consequence'>

/** `nothing` says why there is no part. */
type Decide = (parts: string, existing: string, nothing: string) => Outcome

const outcomes: Record<Status, Decide> = {
  implemented: (_, existing) => ({ decision: 'leave', consequence: `Left alone: ${existing}.` }),
  partial: (parts, existing, nothing) =>
    parts
      ? { decision: 'complete', consequence: `Completed by Portico: ${parts}. Besides, ${existing}.` }
      : { decision: 'leave', consequence: `Left alone: ${existing}. ${nothing}` },
  missing: (parts, _, nothing) =>
    parts
      ? { decision: 'build', consequence: `Built by Portico: ${parts}.` }
      : { decision: 'none', consequence: nothing },
  'not-examined': (parts, _, nothing) => ({
    decision: 'look',
    consequence: `Look first. ${parts ? `If it is not there, Portico builds it: ${parts}.` : nothing}`,
  }),
}

const noPart = 'This version of Portico has nothing for it.'
const nothingToShow = (lacking: string[]) =>
  `Portico shows what the CRM keeps, and no table of ${lacking.join(' or ')} was found.`
