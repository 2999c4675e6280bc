import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { type Front, host } from './proxies.ts'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Where visitors come from: an address that is not the proxy's. */
export const address = '127.0.0.2'

/** How long a browser waits for an answer, in milliseconds: longer than a proxy does. */
const waits = 75_000

async function textOf(answer: IncomingMessage): Promise<string> {
  const bytes = Buffer.concat(await Array.fromAsync(answer))
  return (answer.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
}

/** Somebody with a browser who comes through the proxy, over TLS and on connections that are kept. */
export class Visitor {
  readonly #port: string
  readonly #cookies = new Map<string, string>()
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false, localAddress: address })

  constructor({ port }: Front) {
    this.#port = port
  }

  get(path: string, headers: Record<string, string> = {}) {
    return this.#ask('GET', path, headers)
  }

  post(path: string, form: Record<string, string> | FormData, headers: Record<string, string> = {}) {
    return this.#ask('POST', path, headers, form instanceof FormData ? form : new URLSearchParams(form))
  }

  /** An open page's stream: all that it has said so far, as soon as it says it. */
  async hear(path: string) {
    const headers = { Host: host, Cookie: this.#cookie(), Accept: 'text/event-stream' }
    const asked = request({ ...this.#place(), path, headers }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    let text = ''
    answer.setEncoding('utf8').on('data', part => (text += part))
    answer.on('error', () => undefined)
    return { status: answer.statusCode, said: () => text, close: () => answer.destroy() }
  }

  end() {
    this.#agent.destroy()
  }

  #cookie = () => [...this.#cookies].map(it => it.join('=')).join('; ')

  #place = () => ({ host: '127.0.0.1', port: this.#port, servername: host, agent: this.#agent })

  async #ask(method: string, path: string, more: Record<string, string>, form?: FormData | URLSearchParams) {
    const sent = new Response(form)
    const body = Buffer.from(await sent.arrayBuffer())
    const headers = {
      Host: host,
      Cookie: this.#cookie(),
      ...(form && {
        'Content-Type': sent.headers.get('Content-Type') ?? '',
        'Content-Length': body.length,
        Origin: `https://${host}`,
      }),
      ...more,
    }
    const answer = await this.#send({ method, path, headers }, body)
    for (const it of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(it) ?? []
      if (name) this.#cookies.set(name, value ?? '')
    }
    return answer
  }

  #send({ method, path, headers }: { method: string; path: string; headers: object }, body: Buffer) {
    return new Promise<Answer>((resolve, reject) => {
      const asked = request({ ...this.#place(), method, path, headers: headers as never }, answer =>
        textOf(answer).then(text => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }), reject),
      )
      asked.on('error', reject)
      asked.setTimeout(waits, () => asked.destroy(new Error(`${method} ${path} was not answered`)))
      asked.end(body)
    })
  }
}
