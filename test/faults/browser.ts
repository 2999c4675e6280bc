import { Agent, request } from 'node:http'
import type { Answer, Journal } from './journal.ts'

/** Keeps cookies and its connection, does not follow redirects, and has an address of this machine of its own. */
export class Browser {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 })
  readonly #cookies = new Map<string, string>()
  readonly #port: number
  readonly #address: string
  readonly #journal: Journal

  constructor(port: number, address: string, journal: Journal) {
    this.#port = port
    this.#address = address
    this.#journal = journal
  }

  get = (path: string) => this.#ask('GET', path)
  post = (path: string, form: Record<string, string | string[]>) => {
    const fields = Object.entries(form).flatMap(([name, value]) =>
      [value].flat().map((it): [string, string] => [name, it]),
    )
    return this.#ask('POST', path, new URLSearchParams(fields).toString())
  }

  get cookie() {
    return [...this.#cookies].map(it => it.join('=')).join('; ')
  }

  close() {
    this.#agent.destroy()
  }

  /** Undefined where the connection was cut, or nothing came within two minutes. */
  async #ask(method: string, path: string, body?: string): Promise<Answer | undefined> {
    try {
      const answer = await this.#send(method, path, body)
      this.#journal.answered(answer)
      return answer
    } catch (error) {
      this.#journal.cut(method, path, error as Error)
      return undefined
    }
  }

  #send(method: string, path: string, body?: string) {
    const began = performance.now()
    const form = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    return new Promise<Answer>((resolve, reject) => {
      const sent = request({
        ...{ host: '127.0.0.1', port: this.#port, localAddress: this.#address, agent: this.#agent, method, path },
        headers: { Cookie: this.cookie, ...form, ...length },
        timeout: 120_000,
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer')))
      sent.on('error', reject)
      sent.on('response', response => {
        const parts: Buffer[] = []
        response.on('data', it => parts.push(it))
        response.on('error', reject)
        response.on('end', () => {
          this.#keep(response.headers['set-cookie'])
          const headers = response.headers as Answer['headers']
          const text = Buffer.concat(parts).toString()
          resolve({ status: response.statusCode ?? 0, headers, text, began, ended: performance.now(), method, path })
        })
      })
      sent.end(body)
    })
  }

  #keep(cookies: string[] = []) {
    for (const it of cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(it) ?? []
      if (name) this.#cookies.set(name, value ?? '')
    }
  }
}
