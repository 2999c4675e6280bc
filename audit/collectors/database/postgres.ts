import pg from 'pg'
import { type Facts, noFacts } from '../../model.ts'
import type { Ask } from './ask.ts'
import { readCatalogue } from './catalogue.ts'
import { postgres } from './dialect.ts'
import { guessKeys, sampleFormats, sampleStatuses } from './samples.ts'

const perStatement = 4_000
const forSamples = 25_000

/** Reads a PostgreSQL database in one read-only transaction. A database that goes away leaves what was read by then. */
export async function readPostgres(url: string, progress: (text: string) => void): Promise<Facts> {
  const facts: Facts = { ...noFacts(), looked: { database: true, source: false, http: false } }
  const state: State = { gone: false, problems: new Set() }
  const client = clientOf(url)
  client.on('error', () => {
    state.gone = true
  })
  await client.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    await client.query(`set local statement_timeout = ${perStatement}; set local lock_timeout = 1000`)
    const ask = askerOf(client, state)
    const [server] = (await ask<{ version: string }>("select current_setting('server_version') as version")) ?? []
    if (server) facts.database = { kind: 'PostgreSQL', version: server.version.split('.')[0]! }
    progress('database: catalogue')
    await readCatalogue(ask, facts)
    const until = Date.now() + forSamples
    const sampling = { ask, dialect: postgres, stop: () => state.gone || Date.now() > until }
    for (const [text, step] of [
      ['keys', guessKeys],
      ['statuses', sampleStatuses],
      ['formats', sampleFormats],
    ] as const) {
      progress(`database: ${text}`)
      if (!state.gone) await step(facts, sampling)
    }
    if (!state.gone && Date.now() > until) state.problems.add('it answers slowly')
    if (!state.gone) await client.query('rollback')
  } finally {
    await client.end().catch(() => {})
  }
  facts.notes.push(...notesOf(state))
  return facts
}

interface State {
  gone: boolean
  /** Why samples were left out. */
  problems: Set<string>
}

const clientOf = (url: string) =>
  new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: perStatement * 2,
    application_name: 'portico audit',
  })

const askerOf =
  (client: pg.Client, state: State): Ask =>
  async (sql, values) => {
    if (state.gone) return undefined
    try {
      await client.query('savepoint one')
      const { rows } = await client.query(sql, values)
      await client.query('release savepoint one')
      return rows
    } catch (error) {
      await noteProblem(client, error as { code?: string }, state)
      return undefined
    }
  }

async function noteProblem(client: pg.Client, { code }: { code?: string }, state: State): Promise<void> {
  if (!code || /^(08|57P)/.test(code)) {
    state.gone = true
    return
  }
  // What may not be read is counted with the catalogue.
  if (code !== '42501')
    state.problems.add(code === '57014' ? 'a statement took too long' : `a statement failed (${code})`)
  await client.query('rollback to savepoint one').catch(() => {
    state.gone = true
  })
}

function notesOf({ gone, problems }: State): string[] {
  const notes = [...problems].map(it => `Some samples of the database were left out: ${it}.`)
  if (gone) notes.push('The database went away while it was read. What was read before is in the report.')
  return notes
}
