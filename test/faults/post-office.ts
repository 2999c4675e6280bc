import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { until } from '../until.ts'

interface Taken {
  id: string
  to: string
  subject: string
  /** In milliseconds of `performance.now()`. */
  at: number
}

/** A real mail server, which keeps what the first lines of each mail say. */
export class PostOffice {
  readonly taken: Taken[] = []
  /** How often it has taken each Message-ID. */
  readonly times = new Map<string, number>()
  readonly #codes = new Map<string, string[]>()
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    maxClients: 100,
    onData: (stream, _session, done) => {
      const parts: Buffer[] = []
      stream.on('data', it => parts.push(it))
      stream.on('end', () => {
        this.#take(Buffer.concat(parts).toString('latin1'))
        done()
      })
    },
  })

  async open(): Promise<string> {
    this.#server.on('error', () => undefined)
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server.server, 'listening')
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`
  }

  close = () => new Promise<void>(done => this.#server.close(() => done()))

  /** The next code that comes for this address, which nobody has been given yet. */
  codeFor = (address: string, seconds: number) => until(() => this.#codes.get(address)?.shift(), seconds)

  /** Codes that came for an earlier request are of no use any more. */
  forget(address: string) {
    this.#codes.delete(address)
  }

  #take(text: string) {
    const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? ''
    const to = /[^\s<>]+@[^\s<>]+/.exec(field('To'))?.[0] ?? ''
    const it = { id: field('Message-ID'), to, subject: field('Subject'), at: performance.now() }
    this.taken.push(it)
    this.times.set(it.id, (this.times.get(it.id) ?? 0) + 1)
    const [code] = /\b\d{6}\b/.exec(it.subject) ?? []
    if (code && this.times.get(it.id) === 1) this.#codes.set(to, [...(this.#codes.get(to) ?? []), code])
  }
}
