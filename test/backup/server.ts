import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { unprivilegedAccount } from '../../demo/postgres/programs.ts'
import { freePort } from '../free-port.ts'
import { until } from '../until.ts'

/** Debian's PostgreSQL, with pg_dump and psql of the same version: the packages from npm have neither. */
export async function startPostgres() {
  const [newest = ''] = globSync('/usr/lib/postgresql/*/bin/postgres').sort().reverse()
  if (!existsSync(newest)) throw new Error('This needs PostgreSQL as Debian has it: apt-get install postgresql')
  const programs = dirname(newest)
  const folder = mkdtempSync(join(tmpdir(), 'portico-backup-'))
  const account = await unprivilegedAccount(folder)
  if (account) chownSync(folder, account.uid, account.gid)
  const data = join(folder, 'data')
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust'], { ...account, stdio: 'pipe' })
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap(it => ['-c', it])
  const server = spawn(newest, ['-D', data, '-p', port, ...settings], { ...account, stdio: 'ignore' })
  const url = (user: string, database = 'postgres') => `postgres://${user}@127.0.0.1:${port}/${database}`
  await until(() => execFileSync(join(programs, 'pg_isready'), ['-d', url('postgres')]))
  return {
    /** In the front of PATH they are the ones that fit. */
    programs,
    url,
    async stop() {
      server.kill('SIGINT')
      await once(server, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}
