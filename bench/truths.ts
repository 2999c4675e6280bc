// How right the audit is about real CRMs whose answers are known from reading their code: with everything it knows, and
// once more for each CRM without the words that no other of them uses. Needs a folder of truths (AUDIT_TRUTHS, one JSON
// each: crm, answers.<id>.status and .acceptable) and a folder of source trees of the same names (AUDIT_TREES); without
// them it measures nothing. With --write the tables of docs/audit.md are written anew.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { wordsAmong } from './lexicon-words.ts'

type Status = 'implemented' | 'partial' | 'missing' | 'not-examined'

interface Truth {
  name: string
  answers: Record<string, { status: Status; acceptable: Status[] }>
}

type Answers = Record<string, { status: Status; confidence: number }>

interface Given {
  crm: string
  confidence: number
  right: boolean
  overclaimed: boolean
}

interface Score {
  asked: number
  given: Given[]
}

const root = join(import.meta.dirname, '..')
const truthsFolder = process.env.AUDIT_TRUTHS ?? join(root, '..', 'shared', 'audit-truth')
const treesFolder = process.env.AUDIT_TREES
function measure(truths: Truth[]) {
  const audited = truths.map(truth => {
    const { answers, names } = auditOf(truth)
    return { truth, all: scoreOf(truth, answers), words: wordsAmong(names) }
  })
  const rows = audited.map(({ truth, all, words }) => {
    const others = audited.filter(it => it.truth !== truth)
    const own = [...words].filter(word => !others.some(it => it.words.has(word)))
    const without = scoreOf(truth, auditOf(truth, own).answers)
    console.log(`audit of ${truth.name}: right ${told(all)}; without ${own.length} words of its own ${told(without)}`)
    return { crm: truth.name, all, without }
  })
  const all = total(rows.map(it => it.all))
  const without = total(rows.map(it => it.without))
  console.log(`audit of ${rows.length} CRMs: right ${told(all)}; each without its own words ${told(without)}`)
  if (process.argv.includes('--write'))
    writeTables([scoreTable(rows, all, without), confidenceTable(all, without)].join('\n\n'))
}

function readTruths(trees: string): Truth[] {
  return readdirSync(truthsFolder)
    .filter(it => it.endsWith('.json') && existsSync(join(trees, basename(it, '.json'))))
    .map(it => ({ ...JSON.parse(readFileSync(join(truthsFolder, it), 'utf8')), name: basename(it, '.json') }))
}

/** Audits in a process of its own, since the lexicon is read once. */
function auditOf({ name }: Truth, without: string[] = []): { answers: Answers; names: string[] } {
  const [hook, script] = ['without-words.ts', 'audit-answers.ts'].map(it => join(import.meta.dirname, it)) as [
    string,
    string,
  ]
  const json = execFileSync(process.execPath, ['--import', hook, script, join(treesFolder!, name)], {
    encoding: 'utf8',
    maxBuffer: 1e9,
    env: { ...process.env, WITHOUT_WORDS: without.join(' ') },
  })
  return JSON.parse(json)
}

function scoreOf({ name, answers: expected }: Truth, answers: Answers): Score {
  const asked = Object.entries(expected)
  const given = asked.flatMap(([id, { acceptable }]) => {
    const { status, confidence } = answers[id]!
    if (status === 'not-examined') return []
    const overclaimed = rank[status] > Math.max(...acceptable.map(it => rank[it]))
    return [{ crm: name, confidence, right: acceptable.includes(status), overclaimed }]
  })
  return { asked: asked.length, given }
}

const rank: Record<Status, number> = { 'not-examined': -1, missing: 0, partial: 1, implemented: 2 }

const total = (scores: Score[]): Score => ({
  asked: scores.reduce((sum, it) => sum + it.asked, 0),
  given: scores.flatMap(it => it.given),
})

const rightOf = (given: Given[]) => given.filter(it => it.right).length
const claimsOf = ({ given }: Score) => given.filter(it => it.overclaimed).length

const told = (score: Score) =>
  `${rightOf(score.given)} of ${score.given.length} given, ${score.asked - score.given.length} not examined, ${claimsOf(score)} claimed too much`

function scoreTable(rows: { crm: string; all: Score; without: Score }[], all: Score, without: Score): string {
  const line = (name: string, its: Score, other: Score) =>
    `| ${name} | ${shortly(its)} | ${its.asked - its.given.length} | ${claimsOf(its)} | ${shortly(other)} | ${claimsOf(other)} |`
  return [
    '| CRM | right of given | not examined | claimed too much | right without its own words | claimed too much |',
    '|---|---|---|---|---|---|',
    ...rows.map(it => line(it.crm, it.all, it.without)),
    line('**all**', all, without),
  ].join('\n')
}

const shortly = ({ given }: Score) => `${rightOf(given)} of ${given.length}`

function confidenceTable(all: Score, without: Score): string {
  const levels = [...new Set([...all.given, ...without.given].map(levelOf))].sort((a, b) => b - a)
  const at = (score: Score, level: number) => {
    const given = score.given.filter(it => levelOf(it) === level)
    return given.length
      ? `${rightOf(given)} of ${given.length} (${Math.round((rightOf(given) / given.length) * 100)} %)`
      : 'none'
  }
  return [
    '| said with | right | right without the words of its own |',
    '|---|---|---|',
    ...levels.map(it => `| ${it} % | ${at(all, it)} | ${at(without, it)} |`),
  ].join('\n')
}

const levelOf = ({ confidence }: Given) => Math.round(confidence * 20) * 5

function writeTables(tables: string) {
  const file = join(root, 'docs', 'audit.md')
  const text = readFileSync(file, 'utf8')
  const [start, end] = ['<!-- written by bench/truths.ts -->', '<!-- end -->']
  const [before, rest] = text.split(start)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${file} has no ${start} … ${end}.`)
  writeFileSync(file, `${before}${start}\n\n${tables}\n\n${end}${after}`)
}

const truths = treesFolder && existsSync(truthsFolder) ? readTruths(treesFolder) : []

if (!truths.length) console.log('audit of real CRMs: there are no trees to measure (AUDIT_TREES)')
else measure(truths)
