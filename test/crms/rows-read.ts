import knex, { type Knex } from 'knex'

interface Statement {
  text: string
  values?: unknown[]
}

/** A database that keeps what it was asked since it was last looked at. */
export function listening(url: string): { database: Knex; heard(): Statement[] } {
  const heard: Statement[] = []
  const afterCreate = (connection: any, done: (error: null, connection: object) => void) => {
    const { query } = connection
    connection.query = (it: unknown, ...more: unknown[]) => {
      if (typeof (it as Statement).text === 'string') heard.push(it as Statement)
      return query.call(connection, it, ...more)
    }
    done(null, connection)
  }
  return {
    database: knex({ client: 'pg', connection: url, pool: { min: 0, max: 1, afterCreate } }),
    heard: () => heard.splice(0),
  }
}

/** A node of a plan as EXPLAIN tells it. */
interface Node {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Node[]
}

/** How many rows of its tables PostgreSQL reads for a statement, those that it then leaves out among them. */
export async function rowsReadBy(owner: Knex, { text, values = [] }: Statement): Promise<number> {
  const connection = await owner.client.acquireConnection()
  try {
    const explain = `explain (analyze, buffers off, timing off, summary off, format json) ${text}`
    const { rows } = await connection.query({ text: explain, values })
    return Math.round(rowsIn(rows[0]['QUERY PLAN'][0].Plan))
  } finally {
    await owner.client.releaseConnection(connection)
  }
}

function rowsIn(node: Node): number {
  const each =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const own = node['Relation Name'] ? each * node['Actual Loops'] : 0
  return (node.Plans ?? []).reduce((sum, it) => sum + rowsIn(it), own)
}
