import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, globSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../src/platform/root.ts'
import { until } from '../until.ts'
import { endLater } from './children.ts'

/** When a process was told to end, and when it was seen to be gone. */
interface Ending {
  at: number
  gone: number
}

/** `portico serve` in a process of its own. */
export class Instance {
  readonly port: number
  readonly #env: NodeJS.ProcessEnv
  readonly #log: string
  #child: ChildProcess | undefined
  /** Each time that it was killed or stopped, in milliseconds of `performance.now()`. */
  readonly killed: Ending[] = []
  readonly stopped: Ending[] = []

  constructor(port: number, env: NodeJS.ProcessEnv, log: string) {
    this.port = port
    this.#env = env
    this.#log = log
  }

  /** Resolves when it listens itself, throws if it ends before. `more` of the environment is for this time only. */
  async start(more: NodeJS.ProcessEnv = {}) {
    const output = openSync(this.#log, 'a')
    const before = fstatSync(output).size
    const args = [join(root, 'src/cli.ts'), 'serve', '--map', join(root, 'demo/adapter/map.ts')]
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...this.#env, PORT: String(this.port), ...more },
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    this.#child = child
    endLater(child)
    const said = () => readFileSync(this.#log).toString('utf8', before)
    await until(() => child.exitCode !== null || said().includes('ready on http'), 60)
    if (child.exitCode !== null) throw new Error(`An instance ended as it started: ${said()}`)
  }

  kill = () => this.#end('SIGKILL', this.killed)

  /** As when a new release is rolled out. Gives the status it ended with. */
  stop = () => this.#end('SIGTERM', this.stopped)

  async #end(signal: NodeJS.Signals, endings: Ending[]) {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode
    const ending = { at: performance.now(), gone: Number.POSITIVE_INFINITY }
    endings.push(ending)
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
    ending.gone = performance.now()
    return child.exitCode
  }
}

/** An environment in which the clock is so many minutes ahead, by Debian's faketime; timers run as ever. */
export function ahead(minutes: number): NodeJS.ProcessEnv | undefined {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (!library) return undefined
  return { LD_PRELOAD: library, FAKETIME: `+${minutes}m`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}
