import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listens } from '../free-port.ts'
import { until } from '../until.ts'

interface PgBouncer {
  port: number
  /** Of the PostgreSQL behind it. */
  url: string
  /** The role that the portal runs as. */
  user: string
  password: string
  /** Connections to PostgreSQL. */
  size: number
}

/** A PgBouncer in transaction mode, which listens when this resolves. SIGINT ends it. */
export async function startPgBouncer({ port, url, user, password, size }: PgBouncer): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'pooler-'))
  const { hostname, port: behind } = new URL(url)
  const users = join(folder, 'users')
  writeFileSync(users, `"${user}" "${password}"\n`)
  const settings = `[databases]
* = host=${hostname} port=${behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${size}
max_client_conn = 400
server_login_retry = 1
`
  writeFileSync(join(folder, 'settings'), settings)
  chmodSync(folder, 0o755)
  const pooler = spawn('pgbouncer', [join(folder, 'settings')], { stdio: 'ignore', ...nobody() })
  pooler.once('exit', () => rmSync(folder, { recursive: true }))
  await until(() => listens(port))
  return pooler
}

/** PgBouncer refuses to be root. */
function nobody() {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody']))
  return { uid: idOf('-u'), gid: idOf('-g') }
}
