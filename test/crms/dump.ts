import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** `COPY … FROM stdin;`, the rows, and the line that ends them. */
const copied = /^COPY [^\n]+ FROM stdin;\n((?:(?!\\\.\n).*\n)*)\\\.\n/gm

/** Loads a plain SQL dump (gzip) into an empty database, as psql does, and gathers statistics. */
export async function loadDump(url: string, file: string): Promise<void> {
  const text = gunzipSync(readFileSync(file)).toString()
  await connected(url, async client => {
    let at = 0
    for (const match of text.matchAll(copied)) {
      await run(client, text.slice(at, match.index))
      const [whole, rows = ''] = match
      const statement = whole.slice(0, whole.indexOf('\n'))
      if (rows) await pipeline(Readable.from([rows]), client.query(copyFrom(statement)))
      at = match.index + whole.length
    }
    await run(client, text.slice(at))
  })
  await connected(url, client => client.query('analyze'))
}

async function run(client: pg.Client, sql: string) {
  if (/^(?!--)\S/m.test(sql)) await client.query(sql)
}

async function connected(url: string, work: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
