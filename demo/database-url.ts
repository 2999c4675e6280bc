import pg from 'pg'
import { Obstacle } from './obstacle.ts'

/** Gives the URL back when a PostgreSQL 14 or newer answers there. */
export async function checkDatabase(url: string): Promise<string> {
  const client = connection(url)
  const version = await client
    .connect()
    .then(() => client.query('show server_version'))
    .catch(error => {
      throw new Obstacle(
        `DATABASE_URL leads to no database (${error.message || error.code}). Start it, or correct the URL.`,
      )
    })
    .finally(() => client.end().catch(() => {}))
  const name: string = version.rows[0].server_version
  if (Number.parseInt(name, 10) >= 14) return url
  throw new Obstacle(`DATABASE_URL leads to PostgreSQL ${name}. Portico needs 14 or newer.`)
}

function connection(url: string): pg.Client {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new Obstacle('DATABASE_URL must look like postgres://user:password@host:5432/database.')
  try {
    return new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 }).on('error', () => {})
  } catch (error) {
    throw new Obstacle(`DATABASE_URL cannot be read (${(error as Error).message}).`)
  }
}
