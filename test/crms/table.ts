import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../src/platform/root.ts'
import { fields, isJudged } from './compare.ts'
import type { Reading } from './reading.ts'
import { kept, type NamedDifference, type Snapshot } from './snapshots.ts'
import type { Truth } from './truth.ts'

/** What the table says of one snapshot. */
export interface Result {
  title: string
  rows: [what: string, right: string][]
  named: NamedDifference[]
}

export function resultOf({ title, named }: Snapshot, truth: Truth, reading: Reading): Result {
  const { documents, clients, leaks } = reading
  const all = truth.documents.length
  const wrong = (field?: string) => new Set(documents.filter(it => !field || it.field === field).map(it => it.of)).size
  const right = (field: (typeof fields)[number]) => {
    const judged = truth.documents.filter(it => isJudged(field, it)).length
    return judged ? `${judged - wrong(field)} of ${judged}` : 'not said'
  }
  const clientsRight = (field: string) =>
    `${truth.clients.length - clients.filter(it => it.field === field).length} of ${truth.clients.length}`
  return {
    title,
    rows: [
      ['Documents', String(all)],
      ['Wholly right', String(all - wrong())],
      ...fields.map(field => [capital(field), right(field)] as [string, string]),
      ['Clients’ totals right', clientsRight('totals')],
      ['Statements that end with what is due', clientsRight('statement')],
      ['Shown to somebody else', String(leaks.length)],
    ],
    named,
  }
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

const begin = '<!-- Written by npm run proof:crms -->'
const end = '<!-- To here -->'

/** Writes the table into docs/crms/README.md, and says what was there before. */
export function writeTable(results: Result[]): { before: string; after: string } {
  const path = join(root, 'docs/crms/README.md')
  const text = readFileSync(path, 'utf8')
  const from = text.indexOf(begin) + begin.length
  const before = text.slice(from, text.indexOf(end)).trim()
  const after = tableOf(results)
  if (before !== after) writeFileSync(path, `${text.slice(0, from)}\n\n${after}\n\n${text.slice(text.indexOf(end))}`)
  return { before, after }
}

/** Whether there are results of every CRM whose map is kept: without one of them the table stays as it is. */
export const isWhole = (results: Result[]) => results.length === kept.length

function tableOf(results: Result[]): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const whats = results[0]?.rows.map(([what]) => what) ?? []
  const lines = whats.map((what, at) => row([what, ...results.map(it => it.rows[at]?.[1] ?? '')]))
  const head = [row(['', ...results.map(it => it.title)]), row(['---', ...results.map(() => '---')])]
  return [...head, ...lines, ...results.flatMap(namedOf)].join('\n')
}

const namedOf = ({ title, named }: Result): string[] =>
  named.length ? ['', `What stays different with ${title}:`, '', ...named.map(sentenceOf)] : []

const sentenceOf = ({ of, field, reason }: NamedDifference) =>
  `- ${field} of ${of.length === 1 ? of[0] : `${of.length} (${of.slice(0, 3).join(', ')}${of.length > 3 ? ', …' : ''})`}: ${reason}`
