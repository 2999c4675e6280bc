import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Obstacle } from '../obstacle.ts'
import type { Place } from './claim.ts'
import { dataArgument, passwordFile, surroundings } from './cluster.ts'
import type { Programs } from './programs.ts'

interface Server {
  url: string
  process: ChildProcess
  ended: Promise<'ended'>
  throwaway: boolean
}

export async function startServer(place: Place, programs: Programs, log: (line: string) => void): Promise<Server> {
  const password = await readFile(passwordFile(place), 'utf8')
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(place)
    const server = await launch(place, programs, port, `postgres://postgres:${password}@127.0.0.1:${port}/postgres`)
    if (await answers(server)) return server
    const reason = await lastWords(place)
    if (attempt === 10 || !availablePorts.test(reason))
      throw new Obstacle(`PostgreSQL did not start (${reason}). Its log is ${logFile(place)}.`)
    log('waiting for PostgreSQL')
    await sleep(300)
  }
}

/** Ends every session at once; the next start finds a clean cluster. */
export async function stopServer({ process, ended, throwaway }: Server): Promise<void> {
  process.ref()
  for (const signal of throwaway ? (['SIGQUIT'] as const) : (['SIGINT', 'SIGQUIT'] as const)) {
    process.kill(signal)
    if ((await Promise.race([ended, sleep(5000, null, { ref: false })])) === 'ended') return
  }
  process.kill('SIGKILL')
  await ended
}

/** Another program took the port meanwhile, or sessions of a killed server are still ending. */
const availablePorts = /Address already in use|pre-existing shared memory block/

const logFile = (place: Place) => join(place.directory, 'log')

async function launch(place: Place, programs: Programs, port: number, url: string): Promise<Server> {
  const output = await open(logFile(place), 'w', 0o600)
  const child = spawn(programs.postgres, ['-D', dataArgument(place, place.cluster), ...settings(place, port)], {
    ...surroundings(place, place.cluster),
    detached: !place.throwaway, // Ctrl-C is for us alone: we stop PostgreSQL after the last request
    stdio: ['ignore', output.fd, output.fd],
  })
  const ended = new Promise<'ended'>(resolve => {
    for (const event of ['exit', 'error']) child.once(event, () => resolve('ended'))
  })
  await output.close()
  child.unref()
  guard(place, programs, child)
  return { url, process: child, ended, throwaway: place.throwaway }
}

function settings(place: Place, port: number): string[] {
  const all = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', timezone: 'UTC', log_timezone: 'UTC' }
  const hasty = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', scram_iterations: 1 }
  return Object.entries(place.quick ? { ...all, ...hasty } : all).flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

/** A shell that waits for the end of this process, however it ends, and then stops PostgreSQL and tidies up. */
function guard(place: Place, programs: Programs, child: ChildProcess) {
  if (process.platform === 'win32' || !child.pid) return
  const leftovers = [place.throwaway ? place.directory : '', programs.copy ?? ''].filter(Boolean)
  const lockfile = join(place.cluster, 'postmaster.pid')
  const shell = spawn('/bin/sh', ['-c', WATCH, 'portico-guard', String(child.pid), lockfile, ...leftovers], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  })
  shell.on('error', () => {})
  shell.unref()
  ;(shell.stdin as unknown as { unref(): void }).unref()
  child.once('exit', () => shell.kill('SIGKILL'))
}

const WATCH = `
trap '' INT TERM HUP
pid=$1 lockfile=$2 tries=0
shift 2
read -r forever
kill -INT "$pid"
while [ -e "$lockfile" ] && [ $((tries += 1)) -le 100 ]; do sleep 0.1; done
[ $# -eq 0 ] || rm -rf "$@"
`

/** False when PostgreSQL ended instead. After a crash it first repairs itself, which may take a while. */
async function answers(server: Server): Promise<boolean> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const client = new pg.Client({ connectionString: server.url, ssl: false })
    client.on('error', () => {})
    const connected = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end().catch(() => {})
    if (connected) return true
    if ((await Promise.race([server.ended, sleep(40)])) === 'ended') return false
  }
  await stopServer(server)
  return false
}

async function lastWords(place: Place): Promise<string> {
  const lines = (await readFile(logFile(place), 'utf8')).trim().split('\n')
  const telling = lines.filter(line => /(FATAL|ERROR):|Address already in use/.test(line)).join(' ') || lines.at(-1)
  return telling || 'it said nothing'
}

/** The port of the last time where it is still free, so that connection strings stay true. */
async function choosePort(place: Place): Promise<number> {
  const file = join(place.directory, 'port')
  const last = Number(await readFile(file, 'utf8').catch(() => '0'))
  const port = (await freePort(last)) ?? (await freePort(0))!
  await writeFile(file, String(port))
  return port
}

async function freePort(wanted: number): Promise<number | null> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
