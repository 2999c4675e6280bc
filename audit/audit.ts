import { readDatabase } from './collectors/database.ts'
import { readExpressApp } from './collectors/express-app.ts'
import { readServer } from './collectors/http.ts'
import { readSource } from './collectors/source.ts'
import { combine } from './combine.ts'
import { columnsUsed, fingerprintOf } from './fingerprint.ts'
import type { Status } from './judgement/answer.ts'
import { type Judgement, judge } from './judgement/judge.ts'
import { areaOf } from './judgement/surface.ts'
import { type Facts, noFacts } from './model.ts'
import { tablesToCreate, tablesToLeaveOut } from './plan.ts'
import { questionnaire } from './questionnaire.ts'
import { reportOf } from './report.ts'
import type { Audit, AuditJson } from './result.ts'
import { risksOf } from './risks.ts'

/** What to look at. Each is optional; one at least must be there. */
export interface Inputs {
  /** Connection string of a role that may read the CRM's database. */
  database?: string
  /** The directory of the CRM's source. */
  source?: string
  /** Where the CRM runs. */
  url?: string
  /** The CRM itself, an Express 4 or 5 app with its routes mounted. */
  app?: unknown
  progress?(text: string): void
}

/** Audits a CRM. It changes nothing, and ends with a report whatever it meets. Throws where it was given nothing to look at. */
export async function audit(inputs: Inputs): Promise<Audit> {
  const { database, source, url, app, progress = () => {} } = inputs
  if (!database && !source && !url && !app)
    throw new Error('Nothing to audit: give a database, a source directory, an address or an app.')
  const failures: string[] = []
  const attempt = (what: string, read: () => Promise<Facts>): Promise<Facts> =>
    Promise.resolve()
      .then(read)
      .catch((error: Error) => {
        failures.push(`${what} could not be looked at: ${plain(error)}`)
        return noFacts()
      })
  const parts: Facts[] = []
  if (source) parts.push(await attempt('The source', () => readSource(source, progress)))
  if (app)
    parts.push({
      ...noFacts(),
      routes: readExpressApp(
        app,
        parts.flatMap(it => it.routes).map(it => it.path),
      ),
      looked: { database: false, source: true, http: false },
    })
  if (database) parts.push(await attempt('The database', () => readDatabase(database, progress)))
  if (url) parts.push(await attempt('The server', () => readServer(url, addresses(parts), progress)))
  progress('judging')
  const facts = combine(parts)
  facts.notes.unshift(...failures)
  return concluded(judge(facts), failures.length === 0)
}

async function concluded(judgement: Judgement, whole: boolean): Promise<Audit> {
  const { answers, data, of } = judgement
  const decided = questionnaire.map(({ id, part, kept }) => {
    const answer = answers[id]
    return [id, { ...answer, decision: decisions[answer.status], consequence: consequences[answer.status](part, kept) }]
  })
  const columns = columnsUsed(data, of.facts.tables)
  const create = await tablesToCreate()
  const json: AuditJson = {
    answers: Object.fromEntries(decided),
    data,
    tables: { create, leaveOut: tablesToLeaveOut(answers, data, create) },
    columns,
    fingerprint: fingerprintOf(columns),
  }
  const untouched = of.facts.tables.map(it => it.name).sort()
  const made = { json, risks: risksOf(judgement), notes: of.facts.notes, looked: of.facts.looked, untouched, whole }
  return { ...made, report: reportOf({ ...made, report: '' }) }
}

const decisions = { implemented: 'leave', partial: 'complete', missing: 'build', 'not-examined': 'build' } as const

const consequences: Record<Status, (part: string, kept: string) => string> = {
  implemented: (_, kept) => `Left alone: ${kept}.`,
  partial: (part, kept) => `Completed by Portico: ${part}; ${kept}.`,
  missing: part => `Built by Portico: ${part}.`,
  'not-examined': part => `Built by Portico unless a further audit finds it: ${part}.`,
}

/** Addresses of clients' areas that the source names and that need no parameter. */
const addresses = (parts: Facts[]): string[] =>
  parts
    .flatMap(it => it.routes)
    .filter(
      it =>
        it.method === 'GET' &&
        !it.path.includes(':') &&
        !/(approve|accept|reject|delete|cancel|logout|sign)/i.test(it.path) &&
        areaOf(it) !== undefined,
    )
    .map(it => it.path)
    .slice(0, 40)

/** A driver's message without what it may quote of an address. */
const plain = ({ message, code }: Error & { code?: string }) =>
  code === 'ECONNREFUSED'
    ? 'it does not answer.'
    : code === '28P01' || code === '28000'
      ? 'it refuses this user or password.'
      : code === '3D000'
        ? 'there is no database of that name.'
        : message.replace(/\/\/[^@\s/]*@/g, '//').split('\n')[0]!
