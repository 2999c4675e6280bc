import { execFileSync, spawn } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clean } from './environment.ts'
import { ground, type Node, type Npm, pathOf } from './tools.ts'

export interface Newcomer {
  who: 'root' | 'ordinary user'
  node: Node
  npm: Npm
  /** Below a home of mode 0700. */
  folder: string
}

export interface Outcome {
  code: number | null
  output: string
  seconds: number
}

export interface Running {
  readyAfter: number
  output(): string
  /** To the whole group, as a terminal does; gives the seconds until all has ended. */
  signal(signal: NodeJS.Signals): Promise<Outcome>
}

/** Of this run alone: one that was killed could not remove its account. */
const user = `portico-newcomer-${process.pid}`

export const isRoot = process.getuid?.() === 0

/** A user for the time of the proof, where we may make one; else we are the ordinary user ourselves. */
export function addUser() {
  if (isRoot) execFileSync('useradd', ['--no-create-home', '--home-dir', homeOf('ordinary user'), user])
  for (const who of ['root', 'ordinary user'] as const) mkdirSync(homeOf(who), { mode: 0o700 })
  const account = accountOf('ordinary user')
  if (account) chownSync(homeOf('ordinary user'), account.uid, account.gid)
}

export function removeUser() {
  if (isRoot) execFileSync('userdel', [user])
}

/** What is in the checkout now, committed or not, as a clone in the newcomer's home. */
export function clone(newcomer: Newcomer): string {
  const source = join(import.meta.dirname, '..', '..')
  const target = join(homeOf(newcomer.who), newcomer.folder)
  const git = (...args: string[]) => execFileSync('git', ['-C', source, ...args], { encoding: 'utf8' })
  git('clone', '--quiet', '--no-hardlinks', source, target)
  for (const file of git('ls-files', '-z', '--modified', '--others', '--exclude-standard')
    .split('\0')
    .filter(Boolean)) {
    if (existsSync(join(source, file))) cpSync(join(source, file), join(target, file), { recursive: true })
    else rmSync(join(target, file), { force: true })
  }
  const account = accountOf(newcomer.who)
  if (account) execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, target])
  return target
}

/** Runs a shell line to its end. */
export async function run(newcomer: Newcomer, line: string, extra: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return launch(newcomer, line, extra).ended
}

/** Runs `npm start` until it says that it is ready. */
export async function start(newcomer: Newcomer, extra: NodeJS.ProcessEnv = {}): Promise<Running> {
  const { child, ended, output, seconds } = launch(newcomer, 'npm start', extra)
  let over = false
  ended.then(() => {
    over = true
  })
  while (!/^ready on /m.test(output())) {
    if (over) throw new Error(`npm start ended: ${output()}`)
    if (seconds() > 120) throw new Error(`npm start does not get ready: ${output()}`)
    await sleep(50)
  }
  const readyAfter = seconds()
  return {
    readyAfter,
    output,
    async signal(signal) {
      const from = seconds()
      process.kill(-child.pid!, signal)
      const outcome = await ended
      return { ...outcome, seconds: outcome.seconds - from }
    },
  }
}

/** What still runs in this newcomer's folder, or lies where it should not. Empty is good. */
export function leftovers(newcomer: Newcomer): string[] {
  if (process.platform !== 'linux') return []
  const folder = join(homeOf(newcomer.who), newcomer.folder)
  const processes = pids().filter(pid => linkOf(pid, 'cwd').startsWith(folder))
  const used = pids().map(pid => linkOf(pid, 'exe'))
  const copies = copiesOfPostgres().filter(name => !before.includes(name))
  const unused = copies.filter(name => !used.some(program => program.includes(name)))
  return [...processes.map(pid => `process ${pid}`), ...unused]
}

const copiesOfPostgres = () =>
  process.platform === 'linux' ? readdirSync('/var/lib').filter(name => name.startsWith('portico-postgres-')) : []

/** Left by somebody else's processes that were killed. */
const before = copiesOfPostgres()

const pids = () => readdirSync('/proc').filter(name => /^\d+$/.test(name))

function linkOf(pid: string, name: 'cwd' | 'exe'): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return ''
  }
}

/** Runs a shell line as a group of its own. */
export function launch(newcomer: Newcomer, line: string, extra: NodeJS.ProcessEnv = {}) {
  const home = homeOf(newcomer.who)
  const began = Date.now()
  const seconds = () => (Date.now() - began) / 1000
  const child = spawn('/bin/sh', ['-c', line], {
    ...accountOf(newcomer.who),
    cwd: join(home, newcomer.folder),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...clean,
      PATH: pathOf(newcomer.node, newcomer.npm),
      HOME: home,
      npm_config_cache: join(home, 'cache'),
      ...extra,
    },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', part => (text += part))
  const ended = new Promise<Outcome>(resolve =>
    child.once('close', code => resolve({ code, output: text, seconds: seconds() })),
  )
  return { child, ended, seconds, output: () => text }
}

const homeOf = (who: Newcomer['who']) => join(ground, who === 'root' ? 'home of root' : 'home of user')

function accountOf(who: Newcomer['who']) {
  if (!isRoot || who === 'root') return undefined
  const number = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: number('-u'), gid: number('-g') }
}
