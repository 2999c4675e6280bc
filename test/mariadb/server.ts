import { execFile, spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { freePort } from '../free-port.ts'
import { program } from '../program.ts'
import { until } from '../until.ts'

const run = promisify(execFile)

export const binary = program('mariadbd')

export interface MariaDb {
  /** The address of a database, as root unless another user is named. */
  url(database: string, user?: string): string
  /** Runs statements as root, in a database if one is named. */
  run(sql: string, database?: string): Promise<void>
  /** The general log, which has every statement. */
  log: string
  stop(): Promise<void>
}

/** A server of its own in a folder of its own; MariaDB does not run as root, so that root starts it as `mysql`. */
export async function startMariaDb(): Promise<MariaDb> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-mariadb-'))
  const data = join(folder, 'data')
  mkdirSync(data)
  const asRoot = process.getuid?.() === 0
  const user = asRoot ? ['--user=mysql'] : []
  if (asRoot) for (const it of [folder, data]) await own(it)
  const install = program('mariadb-install-db') ?? 'mariadb-install-db'
  await run(install, ['--no-defaults', `--datadir=${data}`, ...user, ...installOptions])
  const port = await freePort()
  const log = join(folder, 'general.log')
  const child = spawn(binary!, [
    '--no-defaults',
    ...user,
    `--datadir=${data}`,
    `--socket=${join(folder, 's')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--port=${port}`,
    `--general-log-file=${log}`,
    ...serverOptions,
  ])
  const url = (database: string, name = 'root') => `mysql://${name}@127.0.0.1:${port}/${database}`
  const connect = (database = '') => createConnection({ uri: url(database), multipleStatements: true })
  await until(async () => {
    const connection = await connect().catch(() => undefined)
    await connection?.end()
    return Boolean(connection)
  })
  return {
    url,
    log,
    async run(sql, database) {
      const connection = await connect(database)
      await connection.query(sql).finally(() => connection.end())
    },
    async stop() {
      const closed = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGTERM')
      await closed
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const installOptions = ['--auth-root-authentication-method=normal', '--skip-test-db']

const serverOptions = ['--bind-address=127.0.0.1', '--innodb-buffer-pool-size=32M', '--skip-log-bin', '--general-log=1']

async function own(path: string) {
  const ids = await Promise.all(['-u', '-g'].map(it => run('id', [it, 'mysql'])))
  const [user = 0, group = 0] = ids.map(it => Number(it.stdout))
  chownSync(path, user, group)
}
