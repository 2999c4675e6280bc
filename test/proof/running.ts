import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../src/platform/root.ts'
import type { Run } from './plan.ts'
import type { Results } from './reporter.ts'

export interface Done extends Results {
  run: Run
  seconds: number
  green: boolean
  /** Where all that it printed is. */
  log: string
}

/** What a file came to that failed, when it was tried by itself. */
export interface Again {
  first: Done
  file: string
  done: Done
}

/** More failed files than this are tried again by nobody: something is broken. */
const mostAgain = 10
/** A run is green with at most so many files that failed once and passed by themselves. */
const mostFlaky = 2
/** What a test of these is about may not fail once: whose data it is, evidence, money, and what happens in a fault. */
const grave =
  /^(plugins\/(_offers|proposals|quotations|invoices|pay|payments|payee)|src\/evidence|demo\/bank|test\/(attack|crms|faults|kill))\/|\.denials\.|(fences|untouched|guest)\.test/

const logs = mkdtempSync(join(tmpdir(), 'portico-proof-'))

/** The longest first, so many at a time. One alone prints as it goes; of several, each prints when it has failed. */
export async function runAll(runs: Run[], side: number): Promise<Done[]> {
  const waiting = [...runs].sort((a, b) => b.suite.budget - a.suite.budget)
  const done: Done[] = []
  const next = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) done.push(await start(run, side === 1))
  }
  await Promise.all(Array.from({ length: side }, next))
  return done
}

/** Each file that failed once more, by itself. */
export async function tryAgain(done: Done[]): Promise<Again[]> {
  const failed = done.flatMap(first => first.failed.map(file => ({ first, file })))
  const again: Again[] = []
  if (failed.length > mostAgain) return again
  for (const { first, file } of failed)
    if (existsSync(join(root, file)))
      again.push({
        first,
        file,
        done: await start({ ...first.run, name: `${first.run.name}: ${file}`, files: [file] }, false),
      })
  return again
}

/** Which of those that failed have passed by themselves. */
export const flaky = (again: Again[]) => again.filter(it => it.done.green)

/** Whether all has passed, or all but a few files that passed by themselves and are about nothing grave. */
export function isGreen(done: Done[], again: Again[]): boolean {
  const passedLater = flaky(again)
  const allTold = done.filter(it => !it.green).every(it => isExplained(it, passedLater))
  return allTold && passedLater.length <= mostFlaky && !passedLater.some(it => grave.test(it.file))
}

/** Whether each file that failed in this run has passed since. */
const isExplained = (done: Done, later: Again[]) =>
  done.failed.length > 0 && done.failed.every(file => later.some(it => it.first === done && it.file === file))

let started = 0

async function start(run: Run, aloud: boolean): Promise<Done> {
  const [log, results] = [join(logs, `${++started}.log`), join(logs, `${started}.json`)]
  const began = performance.now()
  if (!aloud) console.log(`${run.name} begins, ${run.files.length} files`)
  const env = { ...process.env, ...run.env(), PORTICO_RESULTS: results }
  const child = spawn(process.execPath, [...mochaFor(run), ...run.files], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const file = createWriteStream(log)
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(file, { end: false })
    if (aloud) stream.pipe(process.stdout, { end: false })
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), Math.max(1_800, run.suite.budget * 3) * 1_000)
  const code = await new Promise(resolve => child.once('close', resolve))
  clearTimeout(limit)
  file.end()
  const seconds = Math.round((performance.now() - began) / 1_000)
  const green = code === 0
  if (!aloud) console.log(`${run.name} ${green ? 'passed' : 'FAILED'} after ${seconds} s`)
  return { run, seconds, green, log, ...read(results) }
}

function mochaFor({ suite: { alone, jobs = 1, timeout = 60 } }: Run): string[] {
  const mocha = ['node_modules/mocha/bin/mocha.js', '--reporter', 'test/proof/reporter.ts', '--timeout', `${timeout}s`]
  if (alone) return [...mocha, '--no-config', '--exit']
  return [...mocha, ...(jobs > 1 ? ['--jobs', String(jobs)] : ['--no-parallel'])]
}

const read = (results: string): Results =>
  existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : { passed: 0, skipped: 0, failed: [] }
