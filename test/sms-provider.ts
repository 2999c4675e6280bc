import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A provider: what it was asked to send, once for each key, and what it answers next. */
export async function smsProvider() {
  const sent = new Map<string, { to: string; body: string; authorization: string | undefined }>()
  const answers: number[] = []
  const server = createServer(async (req, res) => {
    const form = new URLSearchParams(await text(req))
    const status = answers.shift() ?? 201
    if (status === 201)
      sent.set(String(req.headers['idempotency-key']), {
        ...{ to: form.get('To')!, body: form.get('Body')!, authorization: req.headers.authorization },
      })
    res.writeHead(status).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { sent, answers, address, texts: () => [...sent.values()], close: () => server.close() }
}
