import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Postgres, startPostgres } from '../../demo/postgres.ts'
import { until } from '../until.ts'

/** A PostgreSQL that is stopped, started and stopped again; durable, as in production. */
export class Server {
  readonly #directory: string
  #running: Postgres | undefined
  url = ''

  constructor(directory: string) {
    this.#directory = directory
  }

  async start() {
    this.#running = await startPostgres({ directory: this.#directory })
    this.url = this.#running.url
  }

  /** Fast: whoever is connected is cut off. Immediate: as if it had crashed, so that it recovers by its log. */
  async stop(how: 'fast' | 'immediate') {
    if (how === 'immediate') this.#signal(this.#pid, 'SIGQUIT')
    await this.#running?.stop()
  }

  /** All of its processes at once, for `SIGSTOP` and `SIGCONT`. */
  signalAll(signal: NodeJS.Signals) {
    const pid = this.#pid
    this.#signal(pid, signal)
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    for (const it of children.split(' ').filter(Boolean)) this.#signal(Number(it), signal)
  }

  /** On a connection of its own. */
  async query(text: string) {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(text)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** Resolves as soon as it takes changes; starts it once more if it has ended. */
  async back() {
    if (!this.#alive) {
      await this.#running?.stop()
      await this.start()
    }
    await until(() => this.query('create temporary table it (id int)').then(() => true), 120)
  }

  get #alive() {
    try {
      return process.kill(this.#pid, 0)
    } catch {
      return false
    }
  }

  get #pid() {
    return Number(readFileSync(join(this.#directory, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0])
  }

  #signal(pid: number, signal: NodeJS.Signals) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
