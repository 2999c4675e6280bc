import { stat } from 'node:fs/promises'
import { sections } from '../src/plugin/discover.ts'
import { readDatabase } from './collectors/database.ts'
import { readExpressApp } from './collectors/express-app.ts'
import { readServer } from './collectors/http.ts'
import { readSource } from './collectors/source.ts'
import { combine } from './combine.ts'
import { type AuditedPlugin, decide, partsOf } from './decisions.ts'
import { doubtsOf } from './doubts.ts'
import { columnsUsed, fingerprintOf } from './fingerprint.ts'
import { coverageOf } from './judgement/coverage.ts'
import { type Judgement, judge } from './judgement/judge.ts'
import { areaOf } from './judgement/surface.ts'
import { type Facts, noFacts } from './model.ts'
import { tablesToCreate, tablesToLeaveOut } from './plan.ts'
import { apply, type Recorded } from './recorded.ts'
import { reportOf } from './report.ts'
import type { Audit, AuditJson, Conclusion } from './result.ts'
import { risksOf } from './risks.ts'
import { severalCrms } from './several.ts'
import { supportOf } from './support.ts'

/** What to look at. At least one of database, source, url and app is needed. */
export interface Inputs {
  /** Connection string of a role that may read the CRM's database. */
  database?: string
  /** The directory of the CRM's source. */
  source?: string
  /** Where the CRM runs. */
  url?: string
  /** The CRM itself, an Express 4 or 5 app with its routes mounted. */
  app?: unknown
  /** Those beside the ones in plugins/: where one answers a question, the report says what it adds. */
  plugins?: AuditedPlugin[]
  /** What people answered to an earlier audit of this CRM: `recorded` of its audit.json. */
  recorded?: Recorded[]
  progress?(text: string): void
}

/** Audits a CRM without changing it. Writes a report even when an input cannot be read; throws when it has no input. */
export async function audit(inputs: Inputs): Promise<Audit> {
  const { database, source, url, app, progress = () => {} } = inputs
  if (!database && !source && !url && !app)
    throw new Error('Nothing to audit: give a database, a source directory, an address or an app.')
  const failures: string[] = []
  const attempt = (what: string, read: () => Promise<Facts>): Promise<Facts> =>
    Promise.resolve()
      .then(read)
      .catch((error: Error) => {
        failures.push(`${what} could not be looked at: ${plainMessage(error)}`)
        return noFacts()
      })
  const parts: Facts[] = []
  if (source) parts.push(await attempt('The source', () => readDirectory(source, progress)))
  if (app)
    parts.push({
      ...noFacts(),
      routes: readExpressApp(
        app,
        parts.flatMap(it => it.routes).map(it => it.path),
      ).map(it => ({ ...it, framework: 'The running app' })),
      looked: { database: false, source: true, http: false },
    })
  if (database) parts.push(await attempt('The database', () => readDatabase(database, progress)))
  if (url) parts.push(await attempt('The server', () => readServer(url, clientAddresses(parts), progress)))
  progress('judging')
  const facts = combine(parts)
  facts.notes.unshift(...failures)
  const plugins = [...sections, ...(inputs.plugins ?? [])]
  return conclude(judge(facts), { whole: failures.length === 0, plugins, recorded: inputs.recorded ?? [] })
}

/** The facts of a source tree. Throws a sentence where there is no such directory. */
async function readDirectory(source: string, progress: (text: string) => void): Promise<Facts> {
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error)
    throw found.code === 'ENOENT'
      ? new Error(`There is no directory ${source}.`)
      : new Error(`${source} cannot be opened.`)
  if (!found.isDirectory()) throw new Error(`${source} is a file. Name the directory that holds the source.`)
  const facts = await readSource(source, progress)
  const several = severalCrms(facts)
  if (several) facts.notes.unshift(several)
  return facts
}

interface Circumstances {
  /** Whether all could be looked at that was to be. */
  whole: boolean
  plugins: AuditedPlugin[]
  recorded: Recorded[]
}

async function conclude(judgement: Judgement, circumstances: Circumstances): Promise<Audit> {
  const { whole, plugins, recorded } = circumstances
  const { facts } = judgement.of
  const told = apply(recorded, { answers: judgement.answers, data: judgement.data, facts })
  const { data } = told
  const offered = partsOf(plugins, data, facts.tables)
  const { parts } = offered
  const answers = decide(told.answers, offered)
  const columns = columnsUsed(data, facts.tables)
  const create = await tablesToCreate()
  const json: AuditJson = {
    answers,
    data,
    coverage: coverageOf(facts),
    tables: { create, leaveOut: tablesToLeaveOut({ answers, data, parts }, create) },
    columns,
    fingerprint: fingerprintOf(columns),
    ...(told.kept.length && { recorded: told.kept }),
  }
  const conclusion: Conclusion = {
    json,
    risks: risksOf({ ...judgement, data }),
    doubts: doubtsOf(answers, { data, facts, parts }),
    parts,
    support: supportOf(facts),
    notes: [...facts.notes, ...told.notes],
    looked: facts.looked,
    untouched: facts.tables.map(it => it.name).sort(),
    whole,
  }
  return {
    ...conclusion,
    report: reportOf(conclusion),
    tables: facts.tables,
    reconsider: all => conclude(judgement, { ...circumstances, recorded: all }),
  }
}

/** Addresses of client areas that the source names, that take no parameter and should change nothing. */
const clientAddresses = (parts: Facts[]): string[] =>
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

/** What went wrong, in a sentence, without the password that a driver's message may quote from an address. */
const plainMessage = ({ message, code = '' }: Error & { code?: string }) =>
  messages[code] ?? message.replace(/\/\/[^@\s/]*@/g, '//').split('\n')[0]!

const messages: Record<string, string> = {
  ECONNREFUSED: 'it does not answer.',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'there is no host of that name.',
  EHOSTUNREACH: 'it cannot be reached from here.',
  ETIMEDOUT: 'it does not answer.',
  ER_ACCESS_DENIED_ERROR: 'it refuses this user or password.',
  ER_DBACCESS_DENIED_ERROR: 'this user may not open that database.',
  ER_BAD_DB_ERROR: 'there is no database of that name.',
  '28P01': 'it refuses this user or password.',
  '28000': 'it refuses this user or password.',
  '3D000': 'there is no database of that name.',
}
