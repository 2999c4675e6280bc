import { wholeAmounts } from './amounts.ts'
import type { Decided, Parts } from './decisions.ts'
import type { DataMap } from './judgement/data-map.ts'
import type { Evidence, Facts } from './model.ts'
import { type QuestionId, questionnaire } from './questionnaire.ts'

/** Something that a person should look at before the report is believed. */
export interface Doubt {
  /** What it is about: a question (`A1`), or an entry of the data map (`invoices.client`). */
  about: string
  /** In a sentence with a question mark, for `--ask`. */
  question: string
  /** What the audit says so far. */
  found: string
  /** Where to look. */
  places: Evidence[]
  /** What may be answered, where it is none of the four answers about a part. */
  choices?: string[]
  /** Only for the report: `--ask` leaves it out. */
  silent?: boolean
  weight: number
}

/** The doubts of an audit that change a decision, those that change most first. */
export function doubtsOf(
  answers: Record<QuestionId, Decided>,
  { data, facts, parts }: { data: DataMap; facts: Facts; parts: Parts },
): Doubt[] {
  const all = [
    ...ofTables(data, facts),
    ...ofOwners(data),
    ...ofKinds(data, facts),
    ...ofCents(data, facts),
    ...ofAnswers(answers, parts),
  ]
  return all.toSorted((a, b) => b.weight - a.weight)
}

/** How much hangs on a question. One that is not named changes little. */
const weights: Partial<Record<QuestionId, number>> = {
  A1: 10,
  D3: 9,
  B3: 9,
  B1: 8,
  B2: 8,
  B4: 7,
  D4: 6,
  C3: 6,
  C4: 6,
  B5: 6,
  C1: 5,
  C2: 5,
  A4: 5,
  E2: 4,
  B8: 4,
  F2: 3,
}

/** A doubt that is worth less is not worth a person's time. */
const worthAsking = 1.5

/** An answer without a part of ours decides nothing, whatever it is. */
const ofAnswers = (answers: Record<QuestionId, Decided>, parts: Parts): Doubt[] =>
  questionnaire.flatMap(({ id, question }) => {
    const { status, confidence, reason, evidence } = answers[id]
    const weight = (weights[id] ?? 2) * (1 - confidence)
    if (!parts[id].length || weight < worthAsking) return []
    const sure = status === 'not-examined' ? '' : ` (${Math.round(confidence * 100)} %)`
    const found = `${status.replace('-', ' ')}${sure}. ${reason}`
    return [{ about: id, question, found, places: placesOf(evidence), weight }]
  })

/** The files of the evidence, each once; tables and columns where it names no file. */
function placesOf(evidence: Evidence[]): Evidence[] {
  const places = evidence.map(it => it.match(/\((\S+:\d+)\)$/)?.[1] ?? it)
  const byFile = Map.groupBy(places, it => it.replace(/:\d+$/, ''))
  return [...byFile.values()].map(([first]) => first!).slice(0, 3)
}

const documents = ['invoices', 'quotations', 'proposals', 'payments'] as const

/** A kind of document that no table was found for has no section. Nobody can answer this in a word. */
function ofTables(data: DataMap, { tables }: Facts): Doubt[] {
  const offers = data.quotations.table ?? data.proposals.table
  return (['invoices', 'quotations', 'proposals'] as const)
    .filter(name => tables.length > 0 && data[name].table === null)
    .map(name => ({
      about: `${name}.table`,
      question: `Does the CRM keep ${name}?`,
      found: `no table of them was found among ${tables.length}; without one the portal has nothing to show.`,
      places: [],
      silent: true,
      weight: name === 'invoices' || !offers ? 9 : worthAsking,
    }))
}

/** Where several columns lead to the clients, the wrong one shows a document to somebody else. */
const ofOwners = (data: DataMap): Doubt[] =>
  documents.flatMap(name => {
    const { table, clientColumns = [] } = data[name]
    if (!table || clientColumns.length < 2 || isShared(data, name)) return []
    return [
      {
        about: `${name}.client`,
        question: `Which column of ${table} says whose a row is?`,
        found: `${clientColumns.join(' and ')} lead to the clients; the wrong one shows documents to others.`,
        places: clientColumns.map(it => `${table}.${it}`),
        choices: clientColumns,
        weight: 20,
      },
    ]
  })

/** One table with several kinds of documents. */
const ofKinds = (data: DataMap, { tables }: Facts): Doubt[] =>
  documents.flatMap(name => {
    const table = tables.find(it => it.name === data[name].table)
    const column = table?.columns.find(it => kindName.test(it.name) && (it.values?.length ?? 0) > 1)
    if (!table || !column) return []
    return [
      {
        about: `${name}.kinds`,
        question: `Which values of ${table.name}.${column.name} are ${name} that clients may see?`,
        found: `${table.name} holds several kinds: ${column.name} is ${column.values!.join(', ')}.`,
        places: [`${table.name}.${column.name}`],
        choices: column.values!,
        weight: 12,
      },
    ]
  })

const kindName = /^((move|invoice|doc(ument)?)_?)?(type|kind)$/i

/** Asked once: a CRM keeps all its amounts in the same way. */
function ofCents(data: DataMap, facts: Facts): Doubt[] {
  const columns = [...documents, 'invoice_lines', 'quotation_lines', 'proposal_lines'] as const
  const found = [...new Set(columns.flatMap(name => wholeAmounts(data[name], facts)))]
  const unclear = found.filter(it => !/cents/i.test(it))
  if (!unclear.length) return []
  return [
    {
      about: 'amounts.inCents',
      question: 'Are amounts whole cents?',
      found: `${unclear.length} columns of amounts are whole numbers. Shown as they are, clients may see a hundred times what they owe.`,
      places: unclear.slice(0, 3).map(it => it.split(' ')[0]!),
      choices: ['yes', 'no'],
      weight: 14,
    },
  ]
}

/** Quotations may be kept among the invoices: what is asked of the table is asked once. */
const isShared = (data: DataMap, name: (typeof documents)[number]) =>
  documents.slice(0, documents.indexOf(name)).some(it => data[it].table === data[name].table)
