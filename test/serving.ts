import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = number | Buffer | { status: number; json: unknown }

/** Another server, as a test has it answer: a status, bytes, or both; 0 is a connection that breaks. */
export async function serving(answer: (request: IncomingMessage, body: any, bytes: Buffer) => Promise<Answer>) {
  const server = createServer(async (request, response) => {
    const bytes = Buffer.concat(await Array.fromAsync(request))
    const json = request.headers['content-type'] === 'application/json' ? JSON.parse(bytes.toString() || '{}') : {}
    const given = await answer(request, json, bytes)
    if (Buffer.isBuffer(given)) return response.end(given)
    if (!given) return request.socket.destroy()
    if (typeof given === 'number') return response.writeHead(given).end()
    response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.json))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise(resolve => server.close(resolve)),
  }
}
