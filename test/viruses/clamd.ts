import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { program } from '../program.ts'
import { until } from '../until.ts'

export const binary = program('clamd')

/** The test file that every scanner finds (eicar.org), in two parts: nothing is to find it here. */
export const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND', 'ARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** A clamd with one signature of its own, on one port from its first start to its end. */
export class Clamd {
  readonly port: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'portico-clamd-'))
  #child: ChildProcess | undefined

  constructor(port: string) {
    this.port = port
    const [database, temporary] = ['database', 'temporary'].map(it => join(this.#folder, it)) as [string, string]
    for (const it of [database, temporary]) mkdirSync(it)
    writeFileSync(join(database, 'own.ndb'), `Test.Eicar:0:*:${Buffer.from(eicar).toString('hex')}\n`)
    const settings = [
      `TCPSocket ${port}`,
      'TCPAddr 127.0.0.1',
      `DatabaseDirectory ${database}`,
      `TemporaryDirectory ${temporary}`,
      'StreamMaxLength 5M',
      'MaxFileSize 4M',
      'AlertExceedsMax yes',
      'Foreground yes',
    ]
    writeFileSync(this.#config, `${settings.join('\n')}\n`)
  }

  static async started(): Promise<Clamd> {
    const it = new Clamd(await freePort())
    await it.start()
    return it
  }

  get url() {
    return `tcp://127.0.0.1:${this.port}`
  }

  get #config() {
    return join(this.#folder, 'clamd.conf')
  }

  async start() {
    this.#child = spawn(binary!, [`--config-file=${this.#config}`], { stdio: 'ignore' })
    await until(() => this.#answers())
  }

  /** Takes connections and does nothing with them. */
  halt() {
    this.#child?.kill('SIGSTOP')
  }

  goOn() {
    this.#child?.kill('SIGCONT')
  }

  async stop() {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await closed
  }

  async end() {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answers() {
    const socket = connect(Number(this.port), '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.write('zPING\0')
      const [said] = await once(socket, 'data')
      return String(said) === 'PONG\0'
    } finally {
      socket.destroy()
    }
  }
}
