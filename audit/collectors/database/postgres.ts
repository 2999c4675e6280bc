import pg from 'pg'
import { type Facts, noFacts } from '../../model.ts'
import type { Ask } from './ask.ts'
import { readCatalogue } from './catalogue.ts'
import { guessKeys, sampleFormats, sampleStatuses } from './samples.ts'

const perStatement = 4_000
const forSamples = 25_000

/** Reads a PostgreSQL database in one read-only transaction. A database that goes away leaves what was read by then. */
export async function readPostgres(url: string, progress: (text: string) => void): Promise<Facts> {
  const facts: Facts = { ...noFacts(), looked: { database: true, source: false, http: false } }
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: perStatement * 2,
    application_name: 'portico audit',
  })
  let gone = false
  client.on('error', () => {
    gone = true
  })
  await client.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    await client.query(`set local statement_timeout = ${perStatement}; set local lock_timeout = 1000`)
    const slow = new Set<string>()
    const ask: Ask = async (sql, values) => {
      if (gone) return undefined
      try {
        await client.query('savepoint one')
        const { rows } = await client.query(sql, values)
        await client.query('release savepoint one')
        return rows
      } catch (error) {
        const { code } = error as { code?: string }
        if (!code || /^(08|57P)/.test(code)) gone = true
        else {
          slow.add(code === '57014' ? 'took too long' : `failed (${code})`)
          await client.query('rollback to savepoint one').catch(() => {
            gone = true
          })
        }
        return undefined
      }
    }
    progress('database: catalogue')
    await readCatalogue(ask, facts)
    const until = Date.now() + forSamples
    for (const [text, step] of [
      ['keys', guessKeys],
      ['statuses', sampleStatuses],
      ['formats', sampleFormats],
    ] as const) {
      progress(`database: ${text}`)
      if (!gone) await step(ask, facts, () => gone || Date.now() > until)
    }
    for (const it of slow) facts.notes.push(`Some samples of the database were left out: a statement ${it}.`)
    if (gone) facts.notes.push('The database went away while it was read. What was read before is in the report.')
    else if (Date.now() > until) facts.notes.push('Some samples of the database were left out: it answers slowly.')
    if (!gone) await client.query('rollback')
  } finally {
    await client.end().catch(() => {})
  }
  return facts
}
