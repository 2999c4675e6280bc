import { wholeAmounts } from './amounts.ts'
import type { Answer, Answers, Status } from './judgement/answer.ts'
import type { DataMap } from './judgement/data-map.ts'
import type { Place } from './judgement/places.ts'
import type { Facts } from './model.ts'
import { type QuestionId, questionnaire } from './questionnaire.ts'

/** What a person answered to a question of the audit, as audit.json keeps it. */
export interface Recorded {
  /** A question (`A1`), or an entry of the data map: `invoices.client`, `invoices.kinds`, `amounts.inCents`. */
  about: string
  /** A status; of an entry of the data map the column, `yes` or `no`, or values with commas between. */
  answer: string
  note?: string
  by: string
  /** The day, as `2026-11-23`. */
  on: string
  /** What the audit itself said then. */
  found: string
}

/** An answer of the audit, or of a person in its place. */
export interface Told extends Answer {
  answeredBy?: { name: string; on: string; note?: string }
}

/** A place with what only a person could tell of it. */
export type ToldPlace = Place & { inCents?: boolean; kinds?: { column: string; values: string[] } }
export type ToldData = Record<keyof DataMap, ToldPlace>

export interface Findings {
  answers: Answers
  data: DataMap
  facts: Facts
}

export interface Applied {
  answers: Record<QuestionId, Told>
  data: ToldData
  /** Those that are still about something in the CRM. */
  kept: Recorded[]
  /** What was answered once and does not fit any more, in sentences. */
  notes: string[]
}

/** Puts the answers of people in the place of the audit's own. Says where the CRM contradicts them by now. */
export function apply(recorded: Recorded[], { answers, data, facts }: Findings): Applied {
  const applied: Applied = { answers: { ...answers }, data: { ...data }, kept: [], notes: [] }
  for (const it of recorded) {
    const isQuestion = questionnaire.some(({ id }) => id === it.about)
    const note = isQuestion ? applyAnswer(it, answers, applied) : applyToData(it, facts, applied)
    if (note !== undefined) applied.notes.push(note)
  }
  return applied
}

const answeredIt = ({ by, on, about, answer }: Recorded) => `${by} answered ${about} with "${answer}" on ${on}`

function applyAnswer(it: Recorded, answers: Answers, { answers: told, kept }: Applied): string | undefined {
  const id = it.about as QuestionId
  const own = answers[id]
  const { by: name, on, note } = it
  const said = note ? `${note.replace(/[.]$/, '')}. ` : ''
  const reason = `${said}The audit itself found it ${own.status.replace('-', ' ')}: ${own.reason}`
  told[id] = {
    ...own,
    status: it.answer as Status,
    confidence: 1,
    reason,
    answeredBy: { name, on, ...(note && { note }) },
  }
  kept.push(it)
  const contradicts = own.status !== it.answer && own.status !== 'not-examined' && own.status !== it.found
  if (!contradicts) return undefined
  const places = own.evidence.slice(0, 2).join(', ')
  return `${answeredIt(it)}; by now the audit finds it ${own.status}${places ? ` (${places})` : ''}. Is the answer still right?`
}

const applyToData = (it: Recorded, facts: Facts, applied: Applied) =>
  it.about === 'amounts.inCents' ? applyCents(it, facts, applied) : applyEntry(it, facts, applied)

/** Every table with amounts that are whole numbers. */
function applyCents(it: Recorded, facts: Facts, { data, kept }: Applied): string | undefined {
  const names = Object.keys(data) as (keyof DataMap)[]
  const whole = names.filter(name => wholeAmounts(data[name], facts).length > 0)
  if (!whole.length) return `${answeredIt(it)}; the audit finds no amounts in whole numbers any more.`
  for (const name of whole) data[name] = { ...data[name], inCents: it.answer === 'yes' }
  kept.push(it)
  return undefined
}

function applyEntry(it: Recorded, { tables }: Facts, { data, kept }: Applied): string | undefined {
  const [name, entry] = it.about.split('.') as [keyof DataMap, string | undefined]
  const place = data[name]
  const table = tables.find(one => one.name === place?.table)
  if (!place || !table) return `${answeredIt(it)}; the audit finds no ${name} any more.`
  const change = entries[entry ?? '']?.(it.answer, table.columns, place)
  if (!change) return `${answeredIt(it)}; this is not in ${table.name} any more.`
  data[name] = { ...place, ...change }
  kept.push(it)
  return undefined
}

type Change = (
  answer: string,
  columns: { name: string; values?: string[] }[],
  place: Place,
) => Partial<ToldPlace> | undefined

const entries: Record<string, Change> = {
  client: (answer, columns) =>
    columns.some(it => it.name === answer) ? { client: answer, clientColumns: undefined } : undefined,
  kinds: (answer, columns) => {
    const values = answer.split(',').map(it => it.trim())
    const column = columns.find(it => values.every(value => it.values?.includes(value)))
    return column && { kinds: { column: column.name, values } }
  },
}
