import type { Knex } from 'knex'

/** An SQL statement with its values. `name` makes it a prepared statement. */
export interface Statement {
  /** Prepared once for each connection under this name; a name has one text for ever. */
  name?: string
  /** With `$1`, `$2`, … */
  text: string
  values?: readonly unknown[]
}

/** Runs one SQL statement on a pool or in a transaction and returns its rows. */
export async function query<Row = any>(database: Knex, statement: Statement): Promise<Row[]> {
  const connection = await database.client.acquireConnection()
  sent.statements++
  try {
    const { text, values } = statement
    return (await connection.query(unnamed.has(database.client.config) ? { text, values } : statement)).rows
  } catch (error) {
    // PostgreSQL sends no JSON that cannot be read. A pooler whose server crashed may end a row in its middle.
    if (error instanceof SyntaxError) throw new Error('Connection terminated within a row', { cause: error })
    throw error
  } finally {
    await database.client.releaseConnection(connection)
  }
}

/** The columns that a query would give, each with its type, without running it. */
export async function fieldsOf(database: Knex, text: string): Promise<[name: string, type: string][]> {
  const connection = await database.client.acquireConnection()
  try {
    const { fields } = await connection.query(`select * from (${text}\n) it limit 0`)
    const types = await connection.query('select format_type(oid, null) as type from unnest($1::oid[]) oid', [
      fields.map((it: { dataTypeID: number }) => it.dataTypeID),
    ])
    return fields.map((it: { name: string }, at: number) => [it.name, types.rows[at].type])
  } finally {
    await database.client.releaseConnection(connection)
  }
}

/** Statements that this process has sent, for the metrics. */
export const sent = { statements: 0 }

/** For a pooler that shares connections by the transaction and keeps no names (PgBouncer before 1.21). */
export const sendUnnamed = (database: Knex) => void unnamed.add(database.client.config)
const unnamed = new WeakSet<object>()

/**
 * Whether a statement prepared under a name can be used again. Behind a pooler that keeps no names, two clients meet in
 * one connection of the server, and the second one's name is taken. True where the database does not answer.
 */
export async function keepsNames(database: Knex): Promise<boolean> {
  const statement = { name: 'portal.names', text: 'select 1' }
  const lost = ['42P05', '26000']
  const opened = await Promise.allSettled([1, 2].map(() => database.client.acquireConnection()))
  const connections = opened.filter(it => it.status === 'fulfilled').map(it => it.value)
  try {
    for (const it of connections) await it.query(statement)
    return true
  } catch (error: any) {
    return !lost.includes(error.code)
  } finally {
    await Promise.all(connections.map(it => database.client.releaseConnection(it)))
  }
}

/**
 * Whether something stands between us and the server. PostgreSQL tells each client the number of its process at the
 * start; a pooler makes one up. False where the database does not answer.
 */
export async function isPooled(database: Knex): Promise<boolean> {
  const connection = await database.client.acquireConnection().catch(() => undefined)
  if (!connection) return false
  try {
    const { rows } = await connection.query('select pg_backend_pid() as process')
    return rows[0].process !== connection.processID
  } catch {
    return false
  } finally {
    await database.client.releaseConnection(connection)
  }
}

/** Whether two connections lead to one database of one server. True where one of them does not answer. */
export async function isSameDatabase(one: Knex, other: Knex): Promise<boolean> {
  const ask = (database: Knex) =>
    query<{ it: string }>(database, {
      text: `select current_database() || ' ' || pg_postmaster_start_time() as it`,
    }).then(
      ([row]) => row?.it,
      () => undefined,
    )
  const [here, there] = await Promise.all([ask(one), ask(other)])
  return !here || !there || here === there
}

/** Whose rows of Portico's tables are visible: those of a workspace, or of one client in it. */
export interface Scope {
  workspace: string
  client?: string
}

/** Runs a transaction in which Portico's tables show the rows of this scope and no others. */
export const within = <T>(database: Knex, scope: Scope, work: (tx: Knex.Transaction) => Promise<T>) =>
  database.transaction(async tx => {
    await query(tx, { ...enterScope, values: [scope.workspace, scope.client ?? ''] })
    return work(tx)
  })

const enterScope = {
  name: 'portal.scope',
  text: `select set_config('portal.workspace_id', $1, true), set_config('portal.client_id', $2, true)`,
}

/**
 * One read in one round trip, with row-level security set to this scope. `select` has the scope's values as `$1`
 * and `$2`, and its own from `$3` on.
 */
export const readWithin = <Row = any>(
  database: Knex,
  scope: Scope,
  { name, text, values = [] }: Statement,
): Promise<Row[]> =>
  query<Row>(database, {
    name,
    text: `with scope as materialized (
             select set_config('portal.workspace_id', $1, true) as workspace, set_config('portal.client_id', $2, true) as client
           ) select it.* from scope cross join lateral (${text} offset 0) it`,
    values: [scope.workspace, scope.client ?? '', ...values],
  })

/** No rows, for an error that says that a schema or a function does not exist: the migrations are not applied yet. */
export function notMigrated(error: any): never[] {
  if (error.code !== '3F000' && error.code !== '42883') throw error
  return []
}

/** Whether an error means that the database cannot be reached or cannot write right now: another try may succeed. */
export function unreachable(error: any): boolean {
  const codes = [error?.code, error?.cause?.code, ...(error?.errors ?? []).map((it: any) => it?.code)]
  return (
    codes.some(code => temporary.some(it => it.test(code))) ||
    error?.name === 'KnexTimeoutError' ||
    /Connection terminated|is not queryable|timeout exceeded when trying to connect/.test(error?.message)
  )
}

/** PostgreSQL's codes (appendix A of its manual) and those of the network. */
const temporary = [
  /^08...$/, // connection
  /^25006$/, // a server that only reads, such as a standby
  /^53...$/, // disk, memory or connections used up
  /^57P0[1-5]$/, // shutting down, crashed, starting up
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/,
]

/** Whether an error means that the schema is another one than a statement was made for. */
export const drifted = (error: any): boolean => /^(42703|42P01|42501|42883|3F000|0A000)$/.test(error?.code)
