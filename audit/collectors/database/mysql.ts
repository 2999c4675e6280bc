import type { Connection } from 'mysql2/promise'
import { type Facts, noFacts } from '../../model.ts'
import type { Ask } from './ask.ts'
import { mysql } from './dialect.ts'
import { readCatalogue, type Server, serverOf } from './mysql-catalogue.ts'
import { guessKeys, sampleFormats, sampleStatuses } from './samples.ts'

const perStatement = 4_000
const forSamples = 25_000

/** Reads a MySQL or MariaDB database in one read-only transaction, as `readPostgres` does. */
export async function readMysql(url: string, progress: (text: string) => void): Promise<Facts> {
  const facts: Facts = { ...noFacts(), looked: { database: true, source: false, http: false } }
  const state: State = { gone: false, problems: new Set(), unreadable: new Set() }
  await inTransaction(url, state, async (ask, server) => {
    facts.database = server
    progress('database: catalogue')
    await readCatalogue(ask, facts, server)
    const until = Date.now() + forSamples
    const sampling = { ask, dialect: mysql, stop: () => state.gone || Date.now() > until }
    for (const [text, step] of [
      ['keys', guessKeys],
      ['statuses', sampleStatuses],
      ['formats', sampleFormats],
    ] as const) {
      progress(`database: ${text}`)
      if (!state.gone) await step(facts, sampling)
    }
    if (!state.gone && Date.now() > until) state.problems.add('it answers slowly')
  })
  facts.notes.push(...notesOf(state))
  return facts
}

/** Asks a MySQL or MariaDB database in a read-only transaction. What cannot be read is undefined. */
export async function askMysql<T>(url: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const state: State = { gone: false, problems: new Set(), unreadable: new Set() }
  return inTransaction(url, state, work)
}

async function inTransaction<T>(url: string, state: State, work: (ask: Ask, server: Server) => Promise<T>): Promise<T> {
  const connection = await connect(url)
  connection.on('error', () => {
    state.gone = true
  })
  try {
    const ask = askerOf(connection, state)
    const done = await work(ask, await begin(connection, ask))
    if (!state.gone) await connection.query('rollback').catch(() => {})
    return done
  } finally {
    await connection.end().catch(() => connection.destroy())
  }
}

interface State {
  gone: boolean
  /** Why samples were left out. */
  problems: Set<string>
  /** Tables whose rows the user may not read. */
  unreadable: Set<string>
}

/** Loads the driver on first use: most CRMs that are audited are on PostgreSQL. */
async function connect(url: string): Promise<Connection> {
  const { createConnection } = await import('mysql2/promise')
  const address = new URL(url)
  if (address.pathname.length < 2) throw new Error('its address names no database, as mysql://host/name does.')
  return createConnection({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectTimeout: 5_000,
    dateStrings: true,
    supportBigNumbers: true,
  })
}

/** Limits of time first, then the transaction: both servers know these since 2013. */
async function begin(connection: Connection, ask: Ask): Promise<Server> {
  const [row] = (await ask<{ version: string }>('select version() as version')) ?? []
  const server = serverOf(row?.version ?? '')
  const limit =
    server.kind === 'MariaDB'
      ? `set session max_statement_time = ${perStatement / 1000}`
      : `set session max_execution_time = ${perStatement}`
  // MySQL before 5.7.8 has no such limit; the client's own is left.
  await connection.query(limit).catch(() => {})
  await connection.query('set session lock_wait_timeout = 1, session innodb_lock_wait_timeout = 1')
  await connection.query('set session transaction isolation level repeatable read')
  await connection.query('start transaction read only')
  return server
}

const askerOf =
  (connection: Connection, state: State): Ask =>
  async <Row>(sql: string) => {
    if (state.gone) return undefined
    try {
      const [rows] = await connection.query({ sql, timeout: perStatement * 2 })
      return rows as Row[]
    } catch (error) {
      noteProblem(error as Failure, state)
      return undefined
    }
  }

type Failure = Error & { code?: string; errno?: number; fatal?: boolean }

const timeouts = [1205, 1969, 3024]
const notAllowed = [1142, 1143]

function noteProblem({ message, code = '', errno = 0, fatal }: Failure, state: State): void {
  if (fatal || /^(PROTOCOL_|ECONN|EPIPE)/.test(code)) state.gone = true
  else if (timeouts.includes(errno)) state.problems.add('a statement took too long')
  else if (notAllowed.includes(errno)) state.unreadable.add(message.match(/for table [`']?(.+?)[`']?$/)?.[1] ?? message)
  else state.problems.add(`a statement failed (${code})`)
}

function notesOf({ gone, problems, unreadable }: State): string[] {
  const notes = [...problems].map(it => `Some samples of the database were left out: ${it}.`)
  if (unreadable.size)
    notes.push(
      `${unreadable.size} ${unreadable.size === 1 ? 'table' : 'tables'} may not be read with this user: columns were looked at, rows were not.`,
    )
  if (gone) notes.push('The database went away while it was read. What was read before is in the report.')
  return notes
}
