import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { type AuditedPlugin, decide, partsOf } from '../../audit/decisions.ts'
import { audit } from '../../audit/index.ts'
import type { Answers, Status } from '../../audit/judgement/answer.ts'
import type { DataMap } from '../../audit/judgement/data-map.ts'
import { tablesToLeaveOut } from '../../audit/plan.ts'
import { questionnaire } from '../../audit/questionnaire.ts'
import { reportOf } from '../../audit/report.ts'
import type { Audit, Conclusion } from '../../audit/result.ts'
import { sections } from '../../src/plugin/discover.ts'
import { type Copy, close, fresh, urlOf } from '../database.ts'
import { auditDemo } from './demo.ts'

const crms = join(import.meta.dirname, 'crms')
const statuses: Status[] = ['implemented', 'partial', 'missing', 'not-examined']

/** What a report says that cannot all be true. */
function contradictionsIn({ json, parts }: Conclusion, report: string): string[] {
  const { create, leaveOut } = json.tables
  const created = create.map(it => it.table)
  const all = questionnaire.map(({ id }) => ({ id, ...json.answers[id] }))
  const rows = report.split('\n').filter(it => /^\| [A-F]\d \|/.test(it))
  const [counts = ''] = report.match(/^\| \d+ \| \d+ \| \d+ \| \d+ \|$/m) ?? []
  const inTables = statuses.map(it => rows.filter(row => row.includes(`| **${it.replace('-', ' ')}**`)).length)
  const installed = new Set(Object.values(parts).flat())
  const promised = all
    .flatMap(
      it => it.consequence.match(/(?:Built by Portico|Completed by Portico|Portico builds it): (.*)\./)?.[1] ?? [],
    )
    .flatMap(it => it.split('. Besides')[0]!.split('; '))
  const wrongSummary = statuses.filter((status, n) => {
    const title = ['Already implemented', 'Partly implemented', 'Missing', 'Not examined'][n]
    const ids = all.filter(it => it.status === status).map(it => it.id)
    return !report.includes(`- **${title}:** ${ids.join(', ') || 'nothing'}\n`)
  })
  const [none, own] = ['has no client portal.', 'has a client portal of its own.'].map(it => report.includes(it))
  const { A1, B3 } = json.answers
  return [
    ...leaveOut.filter(it => created.includes(it.table)).map(it => `${it.table} is created and left out`),
    ...all.filter(it => it.status === 'missing' && /leave|complete/.test(it.decision)).map(it => `${it.id} is left`),
    ...all.filter(it => it.status === 'implemented' && it.decision !== 'leave').map(it => `${it.id} is not left`),
    ...all.filter(it => it.status === 'not-examined' && it.decision !== 'look').map(it => `${it.id} is not looked at`),
    ...all.filter(it => it.decision === 'build' && !parts[it.id].length).map(it => `${it.id} is built of nothing`),
    ...promised.filter(it => !installed.has(it)).map(it => `promised and not installed: ${it}`),
    ...(rows.length === questionnaire.length ? [] : [`${rows.length} rows`]),
    ...(counts === `| ${inTables.join(' | ')} |` ? [] : [`counts ${counts}, in the tables ${inTables}`]),
    ...wrongSummary.map(it => `the summary of ${it} differs`),
    ...(own && (A1.status !== 'implemented' || B3.status !== 'implemented') ? ['a portal of its own?'] : []),
    ...(none && all.some(it => /^(A1|B[1-5]|C)/.test(it.id) && it.status !== 'missing')
      ? ['no portal, though clients see something or nobody looked']
      : []),
    ...(/^(implemented|partial)$/.test(A1.status) && none ? ['clients sign in to no portal'] : []),
  ]
}

describe('an audit report', () => {
  let crm: Copy
  before(async () => {
    crm = await fresh('crm')
  })
  after(() => close(crm))

  for (const family of readdirSync(crms))
    it(`does not contradict itself about the CRM for ${family}`, async () => {
      const found = await audit({ source: join(crms, family) })
      expect(contradictionsIn(found, found.report)).to.deep.equal([])
    })

  it('does not contradict itself about the demo CRM, with and without its source', async () => {
    for (const found of [await auditDemo(urlOf(crm.name)), await audit({ database: urlOf(crm.name) })])
      expect(contradictionsIn(found, found.report)).to.deep.equal([])
  })

  it('does not contradict itself whatever the answers are', async () => {
    const found = await audit({ source: join(crms, 'express-knex') })
    const confidence = fc.double({ min: 0, max: 1, noNaN: true })
    // Few different answers at once: all missing but one is what reports are wrong about.
    const answers = fc
      .subarray(statuses, { minLength: 1, maxLength: 3 })
      .chain(few =>
        fc.array(fc.record({ status: fc.constantFrom(...few), confidence }), { minLength: 28, maxLength: 28 }),
      )
    fc.assert(
      fc.property(answers, fc.subarray(sections), (given, plugins) => {
        const conclusion = withAnswers(found, given, plugins)
        expect(contradictionsIn(conclusion, reportOf(conclusion))).to.deep.equal([])
      }),
      { numRuns: 300 },
    )
  })

  it('leaves out a table only of an installed part that the CRM has', () => {
    const answers = Object.fromEntries(questionnaire.map(it => [it.id, { status: 'implemented' }])) as Answers
    const data = { tasks: { table: 'todo' }, documents: { table: null }, messages: { table: 'notes' } } as DataMap
    const plan = (plugins: AuditedPlugin[], created: string[], status: Status = 'implemented') =>
      tablesToLeaveOut(
        { answers: { ...answers, B6: { ...answers.B6, status } }, data, ...partsOf(plugins) },
        created.map(table => ({ table, ddl: '' })),
      ).map(it => `${it.table}: ${it.because}`)
    const tasks = { audit: { question: 'B6', adds: 'the section Tasks' } }
    expect(plan([tasks], [])).to.deep.equal([
      'portal.client_tasks: The CRM keeps tasks in todo; the adapter reads them there.',
    ])
    expect(plan([tasks], ['portal.client_tasks'])).to.deep.equal([])
    expect(plan([tasks], [], 'missing')).to.deep.equal([])
    expect(plan([], [])).to.deep.equal([])
  })

  it('promises no section for a document that the CRM does not keep, nor a part that is not installed', async () => {
    const { json, report } = await audit({ source: join(crms, 'flask') })
    const kept = (['proposals', 'quotations', 'invoices'] as const).filter(it => json.data[it].table !== null)
    expect(kept).to.have.length.below(3)
    const titles = ['Proposals', 'Quotations', 'Invoices'].filter(it => report.includes(`the section ${it}`))
    expect(titles.map(it => it.toLowerCase())).to.deep.equal(kept)
    expect(json.answers.B6.decision).to.equal('build')
    expect(decide(json.answers, partsOf([])).B6).to.include({
      decision: 'none',
      consequence: 'This version of Portico has nothing for it.',
    })
    expect(report).not.to.include('the section Tasks').and.not.to.include('the section Documents')
  })

  it('is decided by its first half page', async () => {
    const { report } = await auditDemo(urlOf(crm.name))
    const page = report.slice(0, report.indexOf('\n## Risks'))
    expect(page.split('\n').length).to.be.lessThan(60)
    expect(page.split(/\s+/).length).to.be.lessThan(650)
    expect(page.match(/^\d+\. \*\*/gm)?.length).to.be.within(1, 5)
    expect(page).to.match(/Your database is PostgreSQL \d+: supported/)
    expect(page).to.include('npx portico enable')
    const unfolded = report.replace(/<details>[\s\S]*?<\/details>/g, '')
    expect(unfolded).not.to.include('```sql')
    expect(unfolded.split('\n').length).to.be.lessThan(170)
  })
})

/** The same audit with these answers, of these plugins. */
function withAnswers(
  found: Audit,
  given: { status: Status; confidence: number }[],
  plugins: AuditedPlugin[],
): Conclusion {
  const changed = questionnaire.map(({ id }, n) => [id, { ...found.json.answers[id], ...given[n]! }])
  const answers = Object.fromEntries(changed) as Answers
  const offered = partsOf(plugins)
  const { parts } = offered
  const { create } = found.json.tables
  const leaveOut = tablesToLeaveOut({ answers, data: found.json.data, parts }, create)
  const decided = decide(answers, offered)
  return { ...found, parts, json: { ...found.json, answers: decided, tables: { create, leaveOut } } }
}
